"""The claims as a table for README."""

import re
from collections.abc import Sequence

from csvision.claims.record import ClaimRecord
from csvision.report.claims.summary import summarize
from csvision.report.claims.wording import SIGNS, effect

BEGIN = "<!-- claims -->"
END = "<!-- /claims -->"


def summary_table(records: Sequence[ClaimRecord]) -> str:
    """A row a statement, under a line on what it was measured with.

    Raises ValueError without a record, and for one that is no evidence.
    """
    summary = summarize(records)
    machines = "; ".join(map(literal, summary.machines))
    rows = [
        (
            literal(entry.id),
            literal(entry.text),
            f"{SIGNS[entry.decision.verdict]} {entry.decision.verdict}",
            literal(effect(entry)),
        )
        for entry in summary.statements
    ]
    return "\n".join(
        [
            f"{summary.outcome} Measured by `{summary.command}` on {machines}, in {summary.cost} "
            "of one processor's time.",
            "",
            "| | statement | verdict | effect |",
            "|---|---|---|---|",
            *(f"| {' | '.join(row)} |" for row in rows),
        ]
    )


def literal(text: str) -> str:
    """Text in which Markdown finds no markup, on one line."""
    line = " ".join(text.split()).replace("&", "&amp;").replace("<", "&lt;")
    escaped = re.sub(r"([\\`*_|$~#>])", r"\\\1", line)
    return re.sub(r"\](?=[(\[:])", r"\\]", escaped)


def replace_table(text: str, table: str) -> str:
    """The text with the table between its two markers.

    Raises ValueError if each does not stand there once, in their order.
    """
    if text.count(BEGIN) != 1 or text.count(END) != 1 or text.index(BEGIN) > text.index(END):
        raise ValueError(f"a text needs {BEGIN} once and {END} once after it")
    before, rest = text.split(BEGIN)
    _, after = rest.split(END)
    return f"{before}{BEGIN}\n\n{table}\n\n{END}{after}"

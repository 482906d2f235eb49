"""The generated part of docs/claims.md: how the claims were measured, and all statements."""

import re
from collections.abc import Sequence

from csvision_claims.engine.record import ClaimRecord
from csvision_claims.page.summary import summarize
from csvision_claims.page.text import SYMBOLS, format_effect

BEGIN = "<!-- claims -->"
END = "<!-- /claims -->"


def summary_table(records: Sequence[ClaimRecord]) -> str:
    """Return the outcome, the facts of the measurement, and a table with one row per statement.

    Raises ValueError if there are no records, or if one was not measured with the full profile.
    """
    summary = summarize(records)
    facts = {
        "Measured": f"{summary.dates}, in {summary.cost} of one processor's time",
        "Machine": "; ".join(map(escape_markdown, summary.machines)),
        "Versions": "; ".join(map(escape_markdown, summary.versions)),
    }
    rows = [
        (
            escape_markdown(entry.id),
            escape_markdown(entry.text),
            f"{SYMBOLS[entry.decision.verdict]} {entry.decision.verdict}",
            escape_markdown(format_effect(entry)),
        )
        for entry in summary.statements
    ]
    return "\n".join(
        [
            summary.outcome,
            "",
            "```sh",
            *(["# once in a new clone", *summary.setup, "# then"] if summary.setup else []),
            summary.command,
            "```",
            "",
            *(f"- {name}: {text}" for name, text in facts.items()),
            "",
            "| | statement | verdict | effect |",
            "|---|---|---|---|",
            *(f"| {' | '.join(row)} |" for row in rows),
        ]
    )


def escape_markdown(text: str) -> str:
    """Return text on one line, in which Markdown finds no markup."""
    line = " ".join(text.split()).replace("&", "&amp;").replace("<", "&lt;")
    escaped = re.sub(r"([\\`*_|$~#>])", r"\\\1", line)
    return re.sub(r"\](?=[(\[:])", r"\\]", escaped)


def replace_table(text: str, table: str) -> str:
    """Return the text with the table between its two markers.

    Raises ValueError if the text does not contain each marker once, BEGIN before END.
    """
    if text.count(BEGIN) != 1 or text.count(END) != 1 or text.index(BEGIN) > text.index(END):
        raise ValueError(f"must contain {BEGIN} once and {END} once after it")
    before, rest = text.split(BEGIN)
    _, after = rest.split(END)
    return f"{before}{BEGIN}\n\n{table}\n\n{END}{after}"

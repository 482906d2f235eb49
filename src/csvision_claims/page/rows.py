"""Rows of the summary table, of the cases of a statement, and of the table of a claim."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from csvision.page.numbers import format_column
from csvision_claims.engine.record import ClaimRecord, StatementRecord
from csvision_claims.engine.rules import Comparison, Verdict
from csvision_claims.page.text import format_effect, format_pair

MAX_CASES = 6
"""Cases of a statement that the page shows."""


@dataclass(frozen=True)
class SummaryRow:
    """A statement in the summary table.

    `ranks` are its positions when sorted by each column. `first` says whether it is the first
    statement of its claim.
    """

    title: str
    first: bool
    statement: StatementRecord
    effect: str
    ranks: dict[str, int]


@dataclass(frozen=True)
class CaseRow:
    """A case of an exact statement as text."""

    name: str
    claimed: str
    measured: str
    equal: bool


def summary_rows(records: Sequence[ClaimRecord]) -> list[SummaryRow]:
    """Return all statements in their order."""
    entries = [entry for record in records for entry in record.statements]
    ranks = {
        "id": list(range(len(entries))),
        "statement": rank([entry.text.casefold() for entry in entries]),
        "verdict": rank([list(Verdict).index(entry.decision.verdict) for entry in entries]),
        # Effects can be compared only if they have the same unit.
        "effect": rank([(entry.unit, entry.decision.effect or 0.0) for entry in entries]),
        "count": rank([entry.decision.count for entry in entries]),
    }
    titles = [record.title for record in records for _ in record.statements]
    firsts = {record.statements[0].id for record in records if record.statements}
    return [
        SummaryRow(
            title,
            entry.id in firsts,
            entry,
            format_effect(entry),
            {name: values[index] for name, values in ranks.items()},
        )
        for index, (title, entry) in enumerate(zip(titles, entries, strict=True))
    ]


def rank(keys: Sequence[Any]) -> list[int]:
    """Return the rank of each key among all; equal keys have the same rank."""
    ranks = {key: index for index, key in enumerate(sorted(set(keys)))}
    return [ranks[key] for key in keys]


def case_rows(cases: Sequence[Comparison]) -> list[CaseRow]:
    """Return the first MAX_CASES cases, mismatches before the others."""
    shown = sorted(cases, key=lambda case: case.equal)[:MAX_CASES]
    return [CaseRow(case.case, *format_pair(case), case.equal) for case in shown]


def format_table(table: Sequence[dict[str, str | float]]) -> list[list[str]]:
    """Return the cells of a table, row by row."""
    names = list(table[0]) if table else []
    columns = [format_column([row.get(name, "") for row in table]) for name in names]
    return [list(cells) for cells in zip(*columns, strict=True)]

"""The rows of the page's summary, and of the cases of a statement."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from csvision.claims.record import ClaimRecord, StatementRecord
from csvision.claims.rules import Comparison, Verdict
from csvision.report.claims.numbers import column
from csvision.report.claims.wording import both, effect

MOST_CASES = 6
"""Cases of a statement that a page shows."""


@dataclass(frozen=True)
class Row:
    """A statement in the summary; `ranks` are its places when sorted by each column."""

    claim: str
    statement: StatementRecord
    effect: str
    ranks: dict[str, int]


@dataclass(frozen=True)
class Case:
    """A case of an exact statement in words."""

    name: str
    claimed: str
    measured: str
    equal: bool


def summary_rows(records: Sequence[ClaimRecord]) -> list[Row]:
    """All statements in their order."""
    pairs = [(record.id, entry) for record in records for entry in record.statements]
    statements = [entry for _, entry in pairs]
    ranks = {
        "id": list(range(len(statements))),
        "statement": ranked([entry.text.casefold() for entry in statements]),
        "verdict": ranked([list(Verdict).index(entry.decision.verdict) for entry in statements]),
        # Effects can only be compared in the same unit.
        "effect": ranked([(entry.unit, entry.decision.effect or 0.0) for entry in statements]),
        "count": ranked([entry.decision.count for entry in statements]),
    }
    return [
        Row(claim, entry, effect(entry), {name: places[index] for name, places in ranks.items()})
        for index, (claim, entry) in enumerate(pairs)
    ]


def ranked(keys: Sequence[Any]) -> list[int]:
    """The place of each key among all; equal ones share it."""
    places = {key: place for place, key in enumerate(sorted(set(keys)))}
    return [places[key] for key in keys]


def case_rows(cases: Sequence[Comparison]) -> list[Case]:
    """The first cases, those that disagree before others."""
    first = sorted(cases, key=lambda case: case.equal)[:MOST_CASES]
    return [Case(case.case, *both(case), case.equal) for case in first]


def table_cells(table: Sequence[dict[str, str | float]]) -> list[list[str]]:
    """The cells of a table, row by row."""
    names = list(table[0]) if table else []
    columns = [column([row.get(name, "") for row in table]) for name in names]
    return [list(cells) for cells in zip(*columns, strict=True)]

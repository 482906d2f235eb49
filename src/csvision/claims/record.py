"""What is kept of a decided claim: everything that its page shows, as plain values."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from csvision.claims.charts import Chart, chart_of
from csvision.claims.claim import Evidence, Statement
from csvision.claims.rules import Comparison, Decision, Verdict
from csvision.errors import RunError
from csvision.run.directory import write_json


@dataclass(frozen=True)
class StatementRecord:
    """A statement with its rule, its evidence and what the rule made of it.

    `margin` is that of a rule that has one.
    """

    id: str
    text: str
    rule: str
    unit: str
    evidence: Evidence
    decision: Decision
    margin: float | None = None


@dataclass(frozen=True)
class ClaimRecord:
    """A claim as it was decided; `seconds` are those of one processor."""

    id: str
    title: str
    why: str
    method: str
    statements: list[StatementRecord]
    finding: str
    table: list[dict[str, str | float]]
    charts: list[Chart]
    arms: dict[str, str]
    command: str
    profile: str
    seconds: float
    date: str
    machine: dict[str, Any]
    versions: dict[str, str]


def statement_record(statement: Statement, evidence: Evidence) -> StatementRecord:
    """Decide a statement and keep what it was decided by."""
    return StatementRecord(
        statement.id,
        statement.text,
        statement.rule.text,
        getattr(statement.rule, "unit", "of the cases agree"),
        evidence,
        statement.decide(evidence),
        getattr(statement.rule, "margin", None),
    )


def evidence_of(values: Any) -> Evidence:
    """Evidence as its rule takes it, from the plain values that JSON held."""
    if values and isinstance(values[0], dict):
        return [Comparison(**case) for case in values]
    return values


def record_of(values: Mapping[str, Any]) -> ClaimRecord:
    """The record that `asdict` made plain values of."""
    statements = [
        StatementRecord(
            **{
                **entry,
                "evidence": evidence_of(entry["evidence"]),
                "decision": Decision(
                    **{**entry["decision"], "verdict": Verdict(entry["decision"]["verdict"])}
                ),
            }
        )
        for entry in values["statements"]
    ]
    charts = [chart_of(chart) for chart in values["charts"]]
    return replace(ClaimRecord(**values), statements=statements, charts=charts)


def read_records(path: Path) -> list[ClaimRecord]:
    """The records in a file; none when there is no file.

    Raises RunError when it cannot be read as such.
    """
    if not path.exists():
        return []
    try:
        entries = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(entries, list):
            raise TypeError("it is no list")
        return [record_of(entry) for entry in entries]
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise RunError(f"{path} holds no claims: {error}; take it away and run again") from error


def write_records(path: Path, records: Sequence[ClaimRecord]) -> None:
    """Write records, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    write_json(path, [asdict(record) for record in records])

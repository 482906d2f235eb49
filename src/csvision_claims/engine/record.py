"""Records of decided claims: everything that the page shows, as plain values."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from csvision import RunError, write_json
from csvision_claims.engine.charts import Chart, chart_from_dict
from csvision_claims.engine.claim import Evidence, Statement
from csvision_claims.engine.rules import Comparison, Decision, Verdict


@dataclass(frozen=True)
class StatementRecord:
    """A statement with its rule, its evidence and its decision.

    `margin` is None for a rule without one.
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
    """A decided claim.

    `command` decides the claim again, `arms` are commands that train one arm each, `setup` are
    commands to run before either in a new clone. `seconds` is the time on one processor.
    """

    id: str
    title: str
    why: str
    method: str
    statements: list[StatementRecord]
    finding: str
    table: list[dict[str, str | float]]
    charts: list[Chart]
    arms: dict[str, str]
    setup: list[str]
    command: str
    profile: str
    seconds: float
    date: str
    machine: dict[str, Any]
    versions: dict[str, str]


def make_statement_record(statement: Statement, evidence: Evidence) -> StatementRecord:
    """Decide a statement and return its record."""
    return StatementRecord(
        statement.id,
        statement.text,
        statement.rule.text,
        getattr(statement.rule, "unit", "of the cases agree"),
        evidence,
        statement.decide(evidence),
        getattr(statement.rule, "margin", None),
    )


def evidence_from_json(values: Any) -> Evidence:
    """Return evidence as its rule takes it, from the plain values in JSON."""
    if values and isinstance(values[0], dict):
        return [Comparison(**case) for case in values]
    return values


def statement_from_dict(values: Mapping[str, Any]) -> StatementRecord:
    """Return the statement that `dataclasses.asdict` converted to plain values."""
    evidence = evidence_from_json(values["evidence"])
    decision = Decision(**values["decision"])
    decision = replace(decision, verdict=Verdict(decision.verdict))
    return StatementRecord(**{**values, "evidence": evidence, "decision": decision})


def record_from_dict(values: Mapping[str, Any]) -> ClaimRecord:
    """Return the record that `dataclasses.asdict` converted to plain values."""
    statements = [statement_from_dict(statement) for statement in values["statements"]]
    charts = [chart_from_dict(chart) for chart in values["charts"]]
    return ClaimRecord(**{**values, "statements": statements, "charts": charts})


def read_records(path: Path) -> list[ClaimRecord]:
    """Return the records in a file, or an empty list if the file does not exist.

    Raises RunError if it does not contain records.
    """
    if not path.exists():
        return []
    try:
        entries = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(entries, list):
            raise TypeError("not a list")
        return [record_from_dict(entry) for entry in entries]
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise RunError(
            f"{path}: not a file of recorded claims: {error}; delete it and run the command again"
        ) from error


def write_records(path: Path, records: Sequence[ClaimRecord]) -> None:
    """Write records completely or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    write_json(path, [asdict(record) for record in records])

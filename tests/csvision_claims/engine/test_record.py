"""Records are read back value for value, and their evidence decides as before."""

import json
from pathlib import Path

import pytest

from csvision import RunError
from csvision_claims.engine.charts import Bars, Chart, Curves, Panel, Panels, Scatter, Series
from csvision_claims.engine.claim import Evidence, Statement
from csvision_claims.engine.record import (
    ClaimRecord,
    make_statement_record,
    read_records,
    write_records,
)
from csvision_claims.engine.rules import (
    Comparison,
    Difference,
    Exact,
    ProportionTest,
    Ratio,
    Rule,
    Verdict,
)

EVIDENCE: dict[str, tuple[Rule, Evidence]] = {
    "B1a": (Exact(), [Comparison("a case", 3, 4), Comparison("another", 0.5, 0.5)]),
    "B1b": (Difference(1.0, "points"), [2.0, 2.5] * 4),
    "B1c": (Ratio(1.25), [1.1, 1.0] * 4),
    "B1d": (ProportionTest(), ([True, False], [False, False])),
    "B1e": (Difference(1.0, "points"), [2.0]),
    "B1f": (Ratio(1.0), None),
}

CHARTS: list[Chart] = [
    Bars("bars", "%", {"a": 1.5}, "text", log=True),
    Curves("curves", "x", "y", [Series("s", [1.0], [2.0], [1.5], [2.5], dashed=True)], "text"),
    Panels("panels", [Panel("p", [[0.0, 1.0]], 0, 1)], "text", style="heat", columns=2),
    Scatter("scatter", "x", "y", {"a": (1.0, 2.0)}, "text"),
]


def record(profile: str = "full") -> ClaimRecord:
    statements = [
        make_statement_record(Statement(name, f"statement {name}", rule), evidence)
        for name, (rule, evidence) in EVIDENCE.items()
    ]
    return ClaimRecord(
        "B1",
        "title",
        "why",
        "method",
        statements,
        "finding",
        [{"arm": "a", "accuracy": 0.5}],
        list(CHARTS),
        {"a": "csvision train model=mlp"},
        ["csvision prepare-fashion-mnist"],
        "csvision claims claim=B1",
        profile,
        12.5,
        "2026-01-01T00:00:00+00:00",
        {"processors": 2},
        {"torch": "2"},
    )


def test_written_records_are_read_back(tmp_path: Path) -> None:
    path = tmp_path / "folder" / "claims.json"
    write_records(path, [record()])
    (again,) = read_records(path)
    # JSON has no tuples.
    assert again.statements[3].evidence == [[True, False], [False, False]]
    assert again.charts == CHARTS
    assert [entry.decision for entry in again.statements] == [
        entry.decision for entry in record().statements
    ]
    write_records(tmp_path / "again.json", [again])
    assert (tmp_path / "again.json").read_text() == path.read_text()


def test_recorded_evidence_gives_the_same_decision(tmp_path: Path) -> None:
    write_records(tmp_path / "claims.json", [record()])
    (again,) = read_records(tmp_path / "claims.json")
    for entry, (rule, _) in zip(again.statements, EVIDENCE.values(), strict=True):
        assert Statement(entry.id, entry.text, rule).decide(entry.evidence) == entry.decision


def test_statement_without_evidence_is_not_decided() -> None:
    decision = record().statements[-1].decision
    assert decision.verdict is Verdict.not_decided_here
    assert decision.count == 0


def test_missing_file_has_no_records(tmp_path: Path) -> None:
    assert read_records(tmp_path / "none.json") == []


@pytest.mark.parametrize("text", ["", "[1]", '[{"id": "B1"}]', "{", "{}"])
def test_damaged_file_is_reported(text: str, tmp_path: Path) -> None:
    path = tmp_path / "claims.json"
    path.write_text(text)
    with pytest.raises(RunError, match=r"not a file of recorded claims: .*; delete it"):
        read_records(path)


def test_json_has_no_nonstandard_constants(tmp_path: Path) -> None:
    write_records(tmp_path / "claims.json", [record()])
    refused: list[str] = []
    json.loads((tmp_path / "claims.json").read_text(), parse_constant=refused.append)
    assert refused == []

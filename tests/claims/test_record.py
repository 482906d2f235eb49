"""Records: what was decided can be read again, value for value, and decided again."""

import json
from pathlib import Path

import pytest

from csvision.claims.charts import Bars, Chart, Curves, Panel, Panels, Scatter, Series
from csvision.claims.claim import Evidence, Statement
from csvision.claims.record import (
    ClaimRecord,
    read_records,
    statement_record,
    write_records,
)
from csvision.claims.rules import Comparison, Difference, Exact, Ratio, Rule, Shares, Verdict
from csvision.errors import RunError

EVIDENCE: dict[str, tuple[Rule, Evidence]] = {
    "B1a": (Exact(), [Comparison("a case", 3, 4), Comparison("another", 0.5, 0.5)]),
    "B1b": (Difference(1.0, "points"), [2.0, 2.5] * 4),
    "B1c": (Ratio(1.25), [1.1, 1.0] * 4),
    "B1d": (Shares(), ([True, False], [False, False])),
    "B1e": (Difference(1.0, "points"), [2.0]),
    "B1f": (Ratio(1.0), None),
}

CHARTS: list[Chart] = [
    Bars("bars", "%", {"a": 1.5}, "in words", log=True),
    Curves("curves", "x", "y", [Series("s", [1.0], [2.0], [1.5], [2.5], dashed=True)], "words"),
    Panels("panels", [Panel("p", [[0.0, 1.0]], 0, 1)], "words", style="heat", columns=2),
    Scatter("scatter", "x", "y", {"a": (1.0, 2.0)}, "words"),
]


def record(profile: str = "full") -> ClaimRecord:
    statements = [
        statement_record(Statement(name, f"statement {name}", rule), evidence)
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
        {"a": "python scripts/train.py model=mlp"},
        "python scripts/claims.py 'claim=[B1]'",
        profile,
        12.5,
        "2026-01-01T00:00:00+00:00",
        {"processors": 2},
        {"torch": "2"},
    )


def test_what_was_written_is_read_again(tmp_path: Path) -> None:
    path = tmp_path / "folder" / "claims.json"
    write_records(path, [record()])
    (again,) = read_records(path)
    # JSON knows no tuples.
    assert again.statements[3].evidence == [[True, False], [False, False]]
    assert again.charts == CHARTS
    assert [entry.decision for entry in again.statements] == [
        entry.decision for entry in record().statements
    ]
    write_records(tmp_path / "again.json", [again])
    assert (tmp_path / "again.json").read_text() == path.read_text()


def test_recorded_evidence_decides_again_as_it_did(tmp_path: Path) -> None:
    write_records(tmp_path / "claims.json", [record()])
    (again,) = read_records(tmp_path / "claims.json")
    for entry, (rule, _) in zip(again.statements, EVIDENCE.values(), strict=True):
        assert Statement(entry.id, entry.text, rule).decide(entry.evidence) == entry.decision


def test_evidence_that_could_not_be_had_leaves_a_statement_open() -> None:
    decision = record().statements[-1].decision
    assert decision.verdict is Verdict.not_decided_here
    assert decision.count == 0


def test_no_file_holds_no_records(tmp_path: Path) -> None:
    assert read_records(tmp_path / "none.json") == []


@pytest.mark.parametrize("text", ["", "[1]", '[{"id": "B1"}]', "{", "{}"])
def test_a_damaged_file_is_told(text: str, tmp_path: Path) -> None:
    path = tmp_path / "claims.json"
    path.write_text(text)
    with pytest.raises(RunError, match=r"holds no claims: .*; take it away and run again"):
        read_records(path)


def test_json_holds_no_words_that_other_readers_refuse(tmp_path: Path) -> None:
    write_records(tmp_path / "claims.json", [record()])
    refused: list[str] = []
    json.loads((tmp_path / "claims.json").read_text(), parse_constant=refused.append)
    assert refused == []

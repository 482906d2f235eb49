"""The recorded claims, the page and README say the same, and it is what the rules make of it."""

import shlex
from pathlib import Path

import pytest

from csvision import config
from csvision.claims import catalogue
from csvision.claims.claim import Statement
from csvision.claims.record import ClaimRecord, read_records
from csvision.claims.rules import LEAST_SEEDS, Difference, Ratio, Verdict
from csvision.report.claims.markdown import replace_table, summary_table
from csvision.report.claims.page import render_page
from csvision.report.claims.publish import PAGE, RECORDS

ROOT = Path(__file__).parents[1]

DOCS = ROOT / "docs"


@pytest.fixture(scope="module")
def records() -> list[ClaimRecord]:
    return read_records(DOCS / RECORDS)


def statements() -> list[tuple[str, Statement]]:
    return [
        (name, entry) for name in catalogue.files() for entry in catalogue.load(name).statements
    ]


def test_every_claim_is_recorded_from_the_full_profile(records: list[ClaimRecord]) -> None:
    assert [record.id for record in records] == list(catalogue.files())
    assert {record.profile for record in records} == {"full"}
    assert {len(record.versions) > 5 and bool(record.machine) for record in records} == {True}


def test_the_page_is_that_of_the_records(records: list[ClaimRecord]) -> None:
    assert render_page(records) == (DOCS / PAGE).read_text(encoding="utf-8")


def test_a_changed_figure_would_be_seen(records: list[ClaimRecord]) -> None:
    page = (DOCS / PAGE).read_text(encoding="utf-8")
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    others = [record for record in records if record.id != "B3"]
    assert render_page(others) != page
    assert replace_table(text, summary_table(others)) != text


def test_the_table_of_readme_is_that_of_the_records(records: list[ClaimRecord]) -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert replace_table(text, summary_table(records)) == text


@pytest.mark.parametrize(
    ("claim", "statement"), statements(), ids=[entry.id for _, entry in statements()]
)
def test_the_rule_makes_of_the_evidence_what_is_recorded(
    claim: str, statement: Statement, records: list[ClaimRecord]
) -> None:
    (record,) = (record for record in records if record.id == claim)
    (entry,) = (entry for entry in record.statements if entry.id == statement.id)
    assert (entry.text, entry.rule) == (statement.text, statement.rule.text)
    assert statement.decide(entry.evidence) == entry.decision
    if entry.decision.verdict is Verdict.not_decided_here:
        return
    if isinstance(statement.rule, Difference | Ratio):
        assert entry.decision.count >= LEAST_SEEDS


def test_every_recorded_arm_can_be_typed(records: list[ClaimRecord]) -> None:
    commands = [command for record in records for command in record.arms.values()]
    assert len(commands) > 50
    for command in commands:
        python, script, *overrides = shlex.split(command)
        assert (python, script) == ("python", "scripts/train.py")
        config.load(config.compose("train", overrides))

"""Decisions as text."""

from dataclasses import replace

import pytest

from csvision_claims.engine.profile import FULL
from csvision_claims.engine.record import StatementRecord
from csvision_claims.engine.rules import Comparison, Verdict
from csvision_claims.page.summary import summarize
from csvision_claims.page.text import (
    SYMBOLS,
    describe_interval,
    describe_training,
    format_effect,
    format_exact,
)
from tests.csvision_claims.page.samples import (
    ABSENT,
    ENDLESS,
    EXACT,
    HOLDS,
    NO_INTERVAL,
    ONE_PAIR,
    RECORDS,
    REFUTED,
    SHARES,
    UNDECIDED,
    WRONG,
)


@pytest.mark.parametrize(
    ("statement", "text"),
    [
        (EXACT, "20 of 20 cases agree"),
        (WRONG, "28x28, p=1: claimed 30, measured 28; 2 of 5 cases disagree"),
        (HOLDS, "3.20 points [2.92, 3.48], 8 pairs"),
        (REFUTED, "0.541 times [0.509, 0.575], 8 pairs"),
        (UNDECIDED, "0.53 points [-0.07, 1.12], 8 pairs"),
        (SHARES, "75 points [57, 86], 30 of 40 against 0 of 40"),
        (ABSENT, "not measured"),
        (ONE_PAIR, "1.5 points, 1 pair"),
        (ENDLESS, "1.50 points [-∞, ∞], 1 pair"),
        (NO_INTERVAL, "1 $ units, 1 pair"),
    ],
    ids=lambda value: value.id if isinstance(value, StatementRecord) else "",
)
def test_effect_is_formatted_with_its_interval_or_cases(
    statement: StatementRecord, text: str
) -> None:
    assert format_effect(statement) == text.replace("-", "\N{MINUS SIGN}")


def test_disagreeing_case_is_named() -> None:
    odd, even = Comparison("odd", 1, 2), Comparison("even", 2, 2)
    assert format_exact([even]) == "1 of 1 case agrees"
    assert format_exact([odd]) == "odd: claimed 1, measured 2"
    assert format_exact([even, odd]) == "odd: claimed 1, measured 2; the other case agrees"
    assert format_exact([even, odd, even]) == (
        "odd: claimed 1, measured 2; the other 2 cases agree"
    )


def test_interval_description_names_the_side_of_the_margin() -> None:
    assert "the interval lies above 1; dots from 2.7 to 3.6" in describe_interval(HOLDS)
    assert "the interval lies below 2" in describe_interval(REFUTED)
    assert "the interval lies on both sides of 0.5" in describe_interval(UNDECIDED)
    assert describe_interval(SHARES).endswith("the interval lies above 0")


def test_description_of_training_has_the_values_of_the_profile() -> None:
    profile = replace(FULL, seeds=(4, 5), tuning_seeds=(7,), lr_grid=(0.25, 0.5))
    topics = describe_training(profile)
    assert topics["Seeds"].endswith(": 4, 5.")
    assert "one of 0.25, 0.5 with the best accuracy on 20 % " in topics["Learning rate"]
    assert "held out with seeds 7." in topics["Learning rate"]


def test_each_verdict_has_a_distinct_symbol() -> None:
    assert SYMBOLS.keys() == set(Verdict)
    assert len(set(SYMBOLS.values())) == len(Verdict)


def test_summary_counts_verdicts_and_names_machine_and_versions() -> None:
    summary = summarize(RECORDS)
    assert summary.outcome == (
        "4 claims of the notes, 10 statements: 3 hold, 2 are refuted, 4 are undecided, "
        "1 is not decided here."
    )
    assert summary.verdicts == {
        Verdict.holds: 3,
        Verdict.refuted: 2,
        Verdict.undecided: 4,
        Verdict.not_decided_here: 1,
    }
    assert summary.cost == "6 min"
    assert summary.dates == "2026-01-02"
    assert summary.machines == ["Linux-6.1, 2 processors, AVX2"]
    assert summary.versions == ["python 3.11.7, torch 2.13.0"]
    assert summary.command == "csvision claims 'claim=[A1,B1,B2,B3]'"


def test_summary_lists_different_dates_and_machines() -> None:
    other = replace(RECORDS[0], date="2026-02-03T00:00:00", machine={"processors": 1})
    summary = summarize([RECORDS[0], other, other])
    assert summary.dates == "2026-01-02 to 2026-02-03"
    assert summary.machines == ["Linux-6.1, 2 processors, AVX2", "1 processor"]


def test_quick_profile_and_no_claims_are_rejected() -> None:
    quick = replace(RECORDS[1], profile="quick")
    with pytest.raises(ValueError, match="B1 was measured with profile=quick"):
        summarize([RECORDS[0], quick])
    with pytest.raises(ValueError, match="no claims"):
        summarize([])

"""What a decision is in words."""

from dataclasses import replace

import pytest

from csvision.claims.profile import FULL
from csvision.claims.record import StatementRecord
from csvision.claims.rules import Comparison, Verdict
from csvision.report.claims.summary import summarize
from csvision.report.claims.wording import SIGNS, effect, exact_effect, strip_alt, training
from tests.report.claims.samples import (
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
def test_an_effect_has_its_interval_or_its_cases(statement: StatementRecord, text: str) -> None:
    assert effect(statement) == text.replace("-", "\N{MINUS SIGN}")


def test_the_case_that_disagrees_is_told() -> None:
    odd, even = Comparison("odd", 1, 2), Comparison("even", 2, 2)
    assert exact_effect([even]) == "1 of 1 case agrees"
    assert exact_effect([odd]) == "odd: claimed 1, measured 2"
    assert exact_effect([even, odd]) == "odd: claimed 1, measured 2; the other case agrees"
    assert exact_effect([even, odd, even]) == (
        "odd: claimed 1, measured 2; the other 2 cases agree"
    )


def test_a_strip_says_on_which_side_of_the_margin_the_interval_lies() -> None:
    assert "the interval lies above 1; dots from 2.7 to 3.6" in strip_alt(HOLDS)
    assert "the interval lies below 2" in strip_alt(REFUTED)
    assert "the interval lies on both sides of 0.5" in strip_alt(UNDECIDED)
    assert strip_alt(SHARES).endswith("the interval lies above 0")


def test_how_arms_are_trained_is_what_the_profile_says() -> None:
    words = training(replace(FULL, seeds=(4, 5), tuning_seeds=(7,), rates=(0.25, 0.5)))
    assert "under seeds 4, 5," in words
    assert "held out under seeds 7;" in words
    assert "the one of 0.25, 0.5 that does best on 20% of" in words


def test_every_verdict_has_a_sign_of_its_own() -> None:
    assert SIGNS.keys() == set(Verdict)
    assert len(set(SIGNS.values())) == len(Verdict)


def test_a_summary_counts() -> None:
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
    assert summary.command == "python scripts/claims.py 'claim=[A1,B1,B2,B3]'"


def test_a_summary_tells_days_and_machines_apart() -> None:
    other = replace(RECORDS[0], date="2026-02-03T00:00:00", machine={"processors": 1})
    summary = summarize([RECORDS[0], other, other])
    assert summary.dates == "2026-01-02 to 2026-02-03"
    assert summary.machines == ["Linux-6.1, 2 processors, AVX2", "1 processor"]


def test_what_is_no_evidence_is_refused() -> None:
    quick = replace(RECORDS[1], profile="quick")
    with pytest.raises(ValueError, match="B1 was measured with profile=quick"):
        summarize([RECORDS[0], quick])
    with pytest.raises(ValueError, match="there is no record"):
        summarize([])

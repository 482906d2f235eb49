"""The time left, and plain lines where there is no terminal."""

import logging

import pytest

from csvision.claims import progress
from csvision.claims.progress import Progress
from csvision.claims.rules import Decision, Verdict

HOLDS = {"C1a": Decision(Verdict.holds, 1.0, None, None, 3)}


class Clock:
    """A clock that the test sets."""

    def __init__(self) -> None:
        self.now = 0.0

    def perf_counter(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    set_by_hand = Clock()
    monkeypatch.setattr(progress, "time", set_by_hand)
    return set_by_hand


def test_before_anything_is_known_the_time_left_is_the_expected_one(clock: Clock) -> None:
    assert Progress({"C1": 6.0, "C2": 2.0}, processes=2).left() == "4 min left"
    assert Progress({"C1": 1.0}, processes=2).left() == "30 s left"


def test_the_pace_so_far_counts_more_and_more(clock: Clock) -> None:
    # Expected: 30 s a minute. The first claim, ten minutes, takes twice that.
    telling = Progress({"C1": 10.0, "C2": 20.0}, processes=2)
    telling.begin("C1")
    telling.begin_jobs(1, 1)
    clock.now = 600.0
    telling.end_job()
    telling.end(HOLDS)
    # (600 + 300) s for 10 + 10 minutes: 45 s a minute.
    assert telling.left() == "15 min left"


def test_a_claim_whose_jobs_were_all_kept_says_nothing_about_the_pace(clock: Clock) -> None:
    telling = Progress({"C1": 10.0, "C2": 20.0}, processes=2)
    telling.begin("C1")
    telling.begin_jobs(0, 5)
    clock.now = 1.0
    telling.end(HOLDS)
    assert telling.left() == "10 min left"


def test_a_claim_of_which_most_was_kept_counts_as_what_was_left_over(clock: Clock) -> None:
    # A tenth of ten minutes, in the expected time: the pace is as before.
    telling = Progress({"C1": 10.0, "C2": 20.0}, processes=2)
    telling.begin("C1")
    telling.begin_jobs(1, 10)
    clock.now = 30.0
    telling.end_job()
    telling.end(HOLDS)
    assert telling.left() == "10 min left"


def test_the_time_that_the_claim_at_hand_has_taken_is_not_left(clock: Clock) -> None:
    telling = Progress({"C1": 10.0, "C2": 20.0}, processes=2)
    telling.begin("C1")
    telling.begin_jobs(10, 10)
    assert telling.left() == "15 min left"
    clock.now = 120.0
    assert telling.left() == "13 min left"
    clock.now = 900.0
    assert telling.left() == "10 min left"


def test_a_line_a_claim_and_now_and_then_one_of_its_jobs(
    clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    telling = Progress({"C1": 10.0}, processes=2)
    with caplog.at_level(logging.INFO, "csvision"):
        telling.begin("C1")
        telling.begin_jobs(4, 4)
        for second in (10.0, 31.0, 40.0, 62.0):
            clock.now = second
            telling.end_job()
        telling.end(HOLDS)
    assert caplog.messages == ["C1: 2 of 4 jobs, 4 min left", "C1a holds  (62 s, 0 s left)"]

"""Strips: a dot for each pair, the interval, the line that it is held against."""

from dataclasses import replace

from csvision.claims.rules import Decision, Verdict
from csvision.report.claims.pictures import strip_of
from tests.report.claims.drawn import marks, texts
from tests.report.claims.samples import (
    ABSENT,
    ENDLESS,
    EXACT,
    HOLDS,
    NO_INTERVAL,
    ONE_PAIR,
    REFUTED,
    SHARES,
    UNDECIDED,
)


class TestStrips:
    def test_have_a_dot_for_each_pair(self) -> None:
        colour = f"--{Verdict.holds}"
        # A diamond more, for the mean.
        assert len(marks(strip_of(HOLDS), colour)) == len(HOLDS.evidence) + 1
        assert len(marks(strip_of(SHARES), colour)) == 1

    def test_say_what_either_side_of_the_margin_means(self) -> None:
        shown = texts(strip_of(HOLDS))
        assert {"\N{LEFTWARDS ARROW} refuted", "holds \N{RIGHTWARDS ARROW}"} <= set(shown)
        assert "points, margin 1" in shown
        assert "times, margin 2" in texts(strip_of(REFUTED))

    def test_without_a_known_margin_have_no_line(self) -> None:
        assert "holds \N{RIGHTWARDS ARROW}" not in texts(strip_of(replace(HOLDS, margin=None)))

    def test_are_coloured_by_verdict(self) -> None:
        for statement, name in ((HOLDS, "holds"), (REFUTED, "refuted"), (UNDECIDED, "undecided")):
            drawn = strip_of(statement)
            assert {n for n in ("holds", "refuted", "undecided") if f"--{n}" in drawn} == {name}

    def test_without_ends_have_arrows(self) -> None:
        colour = "--undecided"
        assert len(marks(strip_of(ENDLESS), colour)) == 1 + 1 + 2

    def test_of_a_ratio_without_a_lower_end_can_be_drawn(self) -> None:
        endless = Decision(Verdict.undecided, 0.5, 0.0, float("inf"), 1)
        drawn = strip_of(replace(REFUTED, evidence=[0.5], decision=endless))
        assert len(marks(drawn, "--undecided")) == 1 + 1 + 2

    def test_are_only_for_what_an_interval_decided(self) -> None:
        assert [strip_of(entry) for entry in (EXACT, ABSENT, NO_INTERVAL, ONE_PAIR)] == [""] * 4

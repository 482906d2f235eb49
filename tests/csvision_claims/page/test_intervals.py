"""Strips: a dot for each pair, the interval, the line that it is held against."""

from dataclasses import replace

from csvision_claims.engine.rules import Decision, Verdict
from csvision_claims.page.render import render_interval_plot
from tests.csvision_claims.page.drawn import marks, texts
from tests.csvision_claims.page.samples import (
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
        assert len(marks(render_interval_plot(HOLDS), colour)) == len(HOLDS.evidence) + 1
        assert len(marks(render_interval_plot(SHARES), colour)) == 1

    def test_say_what_either_side_of_the_margin_means(self) -> None:
        shown = texts(render_interval_plot(HOLDS))
        assert {"\N{LEFTWARDS ARROW} refuted", "holds \N{RIGHTWARDS ARROW}"} <= set(shown)
        assert "points, margin 1" in shown
        assert "times, margin 2" in texts(render_interval_plot(REFUTED))

    def test_without_a_known_margin_have_no_line(self) -> None:
        assert "holds \N{RIGHTWARDS ARROW}" not in texts(
            render_interval_plot(replace(HOLDS, margin=None))
        )

    def test_are_coloured_by_verdict(self) -> None:
        for statement, name in ((HOLDS, "holds"), (REFUTED, "refuted"), (UNDECIDED, "undecided")):
            drawn = render_interval_plot(statement)
            assert {n for n in ("holds", "refuted", "undecided") if f"--{n}" in drawn} == {name}

    def test_without_ends_have_arrows(self) -> None:
        colour = "--undecided"
        assert len(marks(render_interval_plot(ENDLESS), colour)) == 1 + 1 + 2

    def test_of_a_ratio_without_a_lower_end_can_be_drawn(self) -> None:
        endless = Decision(Verdict.undecided, 0.5, 0.0, float("inf"), 1)
        drawn = render_interval_plot(replace(REFUTED, evidence=[0.5], decision=endless))
        assert len(marks(drawn, "--undecided")) == 1 + 1 + 2

    def test_are_only_for_what_an_interval_decided(self) -> None:
        assert [
            render_interval_plot(entry) for entry in (EXACT, ABSENT, NO_INTERVAL, ONE_PAIR)
        ] == [""] * 4

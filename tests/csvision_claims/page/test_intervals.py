"""Interval plots: a dot for each pair, the interval, and a line at the margin."""

from dataclasses import replace

from csvision_claims.engine.rules import Decision, Verdict
from csvision_claims.page.render import render_interval_plot
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
from tests.csvision_claims.page.svg import markers, text_elements


class TestIntervalPlot:
    def test_each_pair_has_a_dot(self) -> None:
        color = f"--{Verdict.holds}"
        # One more marker, a diamond, for the mean.
        assert len(markers(render_interval_plot(HOLDS), color)) == len(HOLDS.evidence) + 1
        assert len(markers(render_interval_plot(SHARES), color)) == 1

    def test_both_sides_of_the_margin_are_labeled(self) -> None:
        shown = text_elements(render_interval_plot(HOLDS))
        assert {"\N{LEFTWARDS ARROW} refuted", "holds \N{RIGHTWARDS ARROW}"} <= set(shown)
        assert "points, margin 1" in shown
        assert "times, margin 2" in text_elements(render_interval_plot(REFUTED))

    def test_unknown_margin_has_no_line(self) -> None:
        assert "holds \N{RIGHTWARDS ARROW}" not in text_elements(
            render_interval_plot(replace(HOLDS, margin=None))
        )

    def test_color_depends_on_the_verdict(self) -> None:
        for statement, name in ((HOLDS, "holds"), (REFUTED, "refuted"), (UNDECIDED, "undecided")):
            drawn = render_interval_plot(statement)
            assert {n for n in ("holds", "refuted", "undecided") if f"--{n}" in drawn} == {name}

    def test_infinite_interval_has_arrows(self) -> None:
        color = "--undecided"
        assert len(markers(render_interval_plot(ENDLESS), color)) == 1 + 1 + 2

    def test_ratio_with_an_infinite_interval_is_drawn(self) -> None:
        endless = Decision(Verdict.undecided, 0.5, 0.0, float("inf"), 1)
        drawn = render_interval_plot(replace(REFUTED, evidence=[0.5], decision=endless))
        assert len(markers(drawn, "--undecided")) == 1 + 1 + 2

    def test_statement_without_an_interval_has_no_plot(self) -> None:
        assert [
            render_interval_plot(entry) for entry in (EXACT, ABSENT, NO_INTERVAL, ONE_PAIR)
        ] == [""] * 4

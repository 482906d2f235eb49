"""A strip for a statement: a dot for each pair, the interval, the margin it is held against."""

from math import isfinite, log10

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from csvision.claims.record import StatementRecord
from csvision.claims.rules import Decision
from csvision.report.claims.axes import number_axis
from csvision.report.claims.colours import GROUND, INK, VERDICTS
from csvision.report.claims.numbers import number
from csvision.report.claims.svg import WIDTH
from csvision.report.claims.wording import is_exact, is_shares, line_of

HEIGHT = 1.05

ROOM = 0.14
"""The part of the range that is left free at either end."""


def has_strip(statement: StatementRecord) -> bool:
    """Whether an interval decided."""
    return bool(statement.evidence) and not is_exact(statement) and effect_of(statement) is not None


def effect_of(statement: StatementRecord) -> float | None:
    """The middle of the interval, where there is one."""
    return None if statement.decision.low is None else statement.decision.effect


def draw_strip(statement: StatementRecord) -> Figure:
    """Above zero a ratio has a logarithmic axis, as its interval is that of its logarithm."""
    decision, line = statement.decision, line_of(statement)
    dots = [] if is_shares(statement) else [float(value) for value in statement.evidence]
    known = [*dots, decision.effect, decision.low, decision.high, line]
    shown = [value for value in known if value is not None and isfinite(value)]
    log = statement.unit == "times" and (
        all(value > 0 for value in [*dots, decision.effect or 0, line or 1])
    )
    if log:
        shown = [value for value in shown if value > 0]
    figure = Figure(figsize=(WIDTH, HEIGHT))
    axes = figure.subplots()
    left, right = ends(shown, log)
    if log:
        axes.set_xscale("log")
    axes.set_xlim(left, right)
    axes.set_ylim(0, 1)
    colour = VERDICTS[decision.verdict]
    heights = np.linspace(0.9, 0.42, len(dots))
    axes.plot(dots, heights, "o", color=colour, markersize=3.6, alpha=0.75)
    draw_interval(axes, decision, (left, right), colour)
    if line is not None:
        draw_line(axes, line)
    number_axis(axes.xaxis, log)
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)
    margin = "" if statement.margin is None else f", margin {number(statement.margin)}"
    axes.set_xlabel(f"{statement.unit}{margin}", labelpad=1)
    return figure


def ends(values: list[float], log: bool) -> tuple[float, float]:
    """The range of an axis on which all values have room."""
    scaled = [log10(value) for value in values] if log else values
    low, high = min(scaled), max(scaled)
    reach = (high - low) or abs(high) or 1.0
    low, high = low - ROOM * reach, high + ROOM * reach
    return (10**low, 10**high) if log else (low, high)


def draw_interval(axes: Axes, decision: Decision, shown: tuple[float, float], colour: str) -> None:
    """A bar from end to end with the effect on it; an arrow where it goes on without end."""
    assert decision.effect is not None
    height = 0.18
    low, high = (
        end if end is not None and isfinite(end) and shown[0] <= end <= shown[1] else edge
        for end, edge in zip((decision.low, decision.high), shown, strict=True)
    )
    axes.plot([low, high], [height, height], color=colour, linewidth=4, solid_capstyle="butt")
    for end, edge, mark in zip((low, high), shown, "<>", strict=True):
        if end == edge:
            axes.plot(end, height, mark, color=colour, markersize=9, clip_on=False)
    axes.plot(decision.effect, height, "D", color=colour, markersize=7, markeredgecolor=GROUND)


def draw_line(axes: Axes, line: float) -> None:
    """The line that the interval must lie on one side of, and what either side means."""
    axes.axvline(line, color=INK, linewidth=1.2, linestyle=(0, (4, 2)))
    for text, offset, side in (
        ("\N{LEFTWARDS ARROW} refuted", -4, "right"),
        ("holds \N{RIGHTWARDS ARROW}", 4, "left"),
    ):
        axes.annotate(
            text,
            (line, 1),
            (offset, 1),
            xycoords=("data", "axes fraction"),
            textcoords="offset points",
            ha=side,
            va="bottom",
            fontsize=8,
        )

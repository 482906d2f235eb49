"""Interval plots: a dot for each pair, the interval of their mean, and the margin."""

from math import isfinite, log10

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from csvision.page.axes import set_ticks
from csvision.page.colors import BACKGROUND, FOREGROUND
from csvision.page.numbers import format_number
from csvision.page.svg import WIDTH
from csvision_claims.engine.record import StatementRecord
from csvision_claims.engine.rules import Decision
from csvision_claims.page.colors import VERDICTS
from csvision_claims.page.text import is_exact, is_proportion_test, reference_value

HEIGHT = 1.05
"""Inches."""

AXIS_PADDING = 0.14
"""Free space at each end of the axis, as a fraction of the range of values."""


def has_interval_plot(statement: StatementRecord) -> bool:
    """Return whether there is an interval to plot."""
    decision = statement.decision
    interval = decision.low is not None and decision.effect is not None
    return bool(statement.evidence) and not is_exact(statement) and interval


def draw_interval_plot(statement: StatementRecord) -> Figure:
    """Draw dots, interval and margin of a statement.

    Positive ratios have a logarithmic axis, because the interval is that of the logarithm.
    """
    decision, reference = statement.decision, reference_value(statement)
    proportions = is_proportion_test(statement)
    dots = [] if proportions else [float(value) for value in statement.evidence]
    known = [*dots, decision.effect, decision.low, decision.high, reference]
    shown = [value for value in known if value is not None and isfinite(value)]
    log = statement.unit == "times" and (
        all(value > 0 for value in [*dots, decision.effect or 0, reference or 1])
    )
    if log:
        shown = [value for value in shown if value > 0]
    figure = Figure(figsize=(WIDTH, HEIGHT))
    axes = figure.subplots()
    left, right = axis_limits(shown, log)
    if log:
        axes.set_xscale("log")
    axes.set_xlim(left, right)
    axes.set_ylim(0, 1)
    color = VERDICTS[decision.verdict]
    heights = np.linspace(0.9, 0.42, len(dots))
    axes.plot(dots, heights, "o", color=color, markersize=3.6, alpha=0.75)
    draw_interval(axes, decision, (left, right), color)
    if reference is not None:
        axes.axvline(reference, color=FOREGROUND, linewidth=1.2, linestyle=(0, (4, 2)))
        # A proportion test decides by its p-value, not by its interval.
        if not proportions:
            label_sides(axes, reference)
    set_ticks(axes.xaxis, log)
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)
    margin = "" if statement.margin is None else f", margin {format_number(statement.margin)}"
    axes.set_xlabel(f"{statement.unit}{margin}", labelpad=1)
    return figure


def axis_limits(values: list[float], log: bool) -> tuple[float, float]:
    """Return the limits of an axis with free space around all values."""
    scaled = [log10(value) for value in values] if log else values
    low, high = min(scaled), max(scaled)
    span = (high - low) or abs(high) or 1.0
    low, high = low - AXIS_PADDING * span, high + AXIS_PADDING * span
    return (10**low, 10**high) if log else (low, high)


def draw_interval(axes: Axes, decision: Decision, limits: tuple[float, float], color: str) -> None:
    """Draw a bar between the ends and a diamond at the effect; an arrow is an infinite end."""
    assert decision.effect is not None
    height = 0.18
    low, high = (
        end if end is not None and isfinite(end) and limits[0] <= end <= limits[1] else limit
        for end, limit in zip((decision.low, decision.high), limits, strict=True)
    )
    axes.plot([low, high], [height, height], color=color, linewidth=4, solid_capstyle="butt")
    for end, limit, marker in zip((low, high), limits, "<>", strict=True):
        if end == limit:
            axes.plot(end, height, marker, color=color, markersize=9, clip_on=False)
    axes.plot(decision.effect, height, "D", color=color, markersize=7, markeredgecolor=BACKGROUND)


def label_sides(axes: Axes, margin: float) -> None:
    """Write what an interval on either side of the margin means."""
    for text, offset, align in (
        ("\N{LEFTWARDS ARROW} refuted", -4, "right"),
        ("holds \N{RIGHTWARDS ARROW}", 4, "left"),
    ):
        axes.annotate(
            text,
            (margin, 1),
            (offset, 1),
            xycoords=("data", "axes fraction"),
            textcoords="offset points",
            ha=align,
            va="bottom",
            fontsize=8,
        )

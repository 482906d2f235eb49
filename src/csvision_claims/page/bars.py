"""Horizontal bars with names and values."""

from math import floor, isfinite, log10
from textwrap import fill

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from csvision.page.axes import MAX_LINE_LENGTH, label_axes, set_ticks
from csvision.page.colors import FOREGROUND, series_color
from csvision.page.numbers import format_column
from csvision.page.svg import WIDTH
from csvision_claims.engine.charts import Bars

MAX_NAME_BESIDE = 22
"""Characters of a name that fit beside its bar; names go above the bars if one is longer."""

BAR_PITCH = 0.26
"""Inches from bar to bar."""

LINE_HEIGHT = 0.16
"""Inches per line of a name above a bar."""


def draw_bars(chart: Bars) -> Figure:
    """Draw bars, with names beside them if all are short, else above them."""
    beside = max(map(len, chart.values)) <= MAX_NAME_BESIDE
    names = [name if beside else fill(name, MAX_LINE_LENGTH) for name in chart.values]
    above = [0.0 if beside else LINE_HEIGHT * (name.count("\n") + 1) for name in names]
    height = BAR_PITCH * len(names) + sum(above) + (0.7 if chart.log else 0.35)
    figure = Figure(figsize=(WIDTH, height))
    axes = figure.subplots()
    positions = [-sum(above[: index + 1]) - BAR_PITCH * index for index in range(len(names))]
    # A value that is not finite has no bar; its text is next to the axis.
    values = [value if isfinite(value) else 0.0 for value in chart.values.values()]
    log = chart.log and min(values) > 0
    start = 10 ** decade_below(min(values)) if log else 0.0
    widths = [value - start for value in values]
    axes.barh(positions, widths, BAR_PITCH * 0.62, left=start, color=series_color(0))
    set_limits(axes, values, start, log)
    texts = format_column([float(value) for value in chart.values.values()])
    for position, value, text in zip(positions, values, texts, strict=True):
        left = value < start
        axes.annotate(
            text,
            (value, position),
            (-4 if left else 4, 0),
            textcoords="offset points",
            ha="right" if left else "left",
            va="center",
            fontweight="bold",
        )
    axes.set_ylim(positions[-1] - BAR_PITCH / 2, positions[0] + BAR_PITCH / 2 + above[0])
    axes.set_yticks(positions, names if beside else [""] * len(names))
    axes.tick_params(axis="y", length=0)
    axes.axvline(start, color=FOREGROUND, linewidth=0.8)
    axes.spines["left"].set_visible(False)
    if not beside:
        annotate_above(axes, positions, names)
    label_axes(axes, "logarithmic scale" if log else "", chart.unit)
    return figure


def annotate_above(axes: Axes, positions: list[float], names: list[str]) -> None:
    """Write each name above its bar."""
    for position, name in zip(positions, names, strict=True):
        axes.annotate(
            name,
            (0, position + 0.1),
            (3, 0),
            xycoords=("axes fraction", "data"),
            textcoords="offset points",
            va="bottom",
            ha="left",
        )


def decade_below(value: float) -> int:
    """Return an exponent of ten clearly below a value, where its bar can start."""
    return floor(log10(value / 1.5))


def set_limits(axes: Axes, values: list[float], start: float, log: bool) -> None:
    """Leave space for the longest bar and the number after it; only a log axis has ticks."""
    low, high = min(*values, start), max(*values, start)
    if log:
        axes.set_xscale("log")
        axes.set_xlim(start, high * (high / start) ** 0.2)
        set_ticks(axes.xaxis, log=True)
        axes.grid(axis="x")
        return
    space = 0.2 * (high - low) or 1.0
    ends_at_zero = low < 0 and high == 0
    axes.set_xlim(low - (space if low < 0 else 0), high + (0 if ends_at_zero else space))
    axes.set_xticks([])
    axes.spines["bottom"].set_visible(False)

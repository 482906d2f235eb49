"""Horizontal bars with their names and values."""

from math import floor, isfinite, log10
from textwrap import fill

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from csvision.claims.charts import Bars
from csvision.report.claims.axes import LINE, name_axes, number_axis
from csvision.report.claims.colours import INK, series_colour
from csvision.report.claims.numbers import column
from csvision.report.claims.svg import WIDTH

SHORT = 22
"""Letters of a name that stands beside its bar; longer ones stand above."""

THICK = 0.26
"""Inches from bar to bar."""

LINE_HEIGHT = 0.16
"""Inches that a line of a name above a bar takes."""


def draw_bars(chart: Bars) -> Figure:
    """Names beside the bars if all are short, else above them."""
    beside = max(map(len, chart.values)) <= SHORT
    names = [name if beside else fill(name, LINE) for name in chart.values]
    above = [0.0 if beside else LINE_HEIGHT * (name.count("\n") + 1) for name in names]
    figure = Figure(figsize=(WIDTH, THICK * len(names) + sum(above) + (0.7 if chart.log else 0.35)))
    axes = figure.subplots()
    places = [-sum(above[: index + 1]) - THICK * index for index in range(len(names))]
    values = [value if isfinite(value) else 0.0 for value in chart.values.values()]
    log = chart.log and min(values) > 0
    start = 10 ** decade_below(min(values)) if log else 0.0
    widths = [value - start for value in values]
    axes.barh(places, widths, THICK * 0.62, left=start, color=series_colour(0))
    set_scale(axes, values, start, log)
    texts = column([float(value) for value in chart.values.values()])
    for place, value, text in zip(places, values, texts, strict=True):
        left = value < start
        axes.annotate(
            text,
            (value, place),
            (-4 if left else 4, 0),
            textcoords="offset points",
            ha="right" if left else "left",
            va="center",
            fontweight="bold",
        )
    axes.set_ylim(places[-1] - THICK / 2, places[0] + THICK / 2 + above[0])
    axes.set_yticks(places, names if beside else [""] * len(names))
    axes.tick_params(axis="y", length=0)
    axes.axvline(start, color=INK, linewidth=0.8)
    axes.spines["left"].set_visible(False)
    if not beside:
        for place, name in zip(places, names, strict=True):
            axes.annotate(
                name,
                (0, place + 0.1),
                (3, 0),
                xycoords=("axes fraction", "data"),
                textcoords="offset points",
                va="bottom",
                ha="left",
            )
    name_axes(axes, "logarithmic scale" if log else "", chart.unit)
    return figure


def decade_below(value: float) -> int:
    """The power of ten that lies well below a value, from which a bar can start."""
    return floor(log10(value / 1.5))


def set_scale(axes: Axes, values: list[float], start: float, log: bool) -> None:
    """Room for the longest bar and the number after it; only a logarithm needs ticks."""
    low, high = min(*values, start), max(*values, start)
    if log:
        axes.set_xscale("log")
        axes.set_xlim(start, high * (high / start) ** 0.2)
        number_axis(axes.xaxis, log=True)
        axes.grid(axis="x")
        return
    room = 0.2 * (high - low) or 1.0
    axes.set_xlim(low - (room if low < 0 else 0), high + (0 if low < high == 0 else room))
    axes.set_xticks([])
    axes.spines["bottom"].set_visible(False)

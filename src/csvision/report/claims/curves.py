"""Lines over a common axis, told apart by marks and names as well as by colour."""

from math import isfinite
from textwrap import fill

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from csvision.claims.charts import Curves, Series
from csvision.report.claims.axes import name_axes, number_axis
from csvision.report.claims.colours import series_colour
from csvision.report.claims.svg import WIDTH

MARKS = "os^DvPX"

MOST_MARKS = 40
"""Points of a line beyond which marks would run into each other."""

NAME = 46
"""Letters of a name in the legend before it goes on in the next line."""


def draw_curves(chart: Curves) -> Figure:
    """All series with a legend above them."""
    names = [fill(series.name, NAME) for series in chart.series]
    columns = 2 if max(map(len, names)) <= NAME // 2 - 2 and len(names) > 1 else 1
    lines = sum(name.count("\n") + 1 for name in names) / columns
    figure = Figure(figsize=(WIDTH, 2.6 + 0.18 * lines))
    axes = figure.subplots()
    for index, (name, series) in enumerate(zip(names, chart.series, strict=True)):
        draw_series(axes, series, name, index)
    measured = [x for series in chart.series for x in series.x if isfinite(x)]
    positive = [y for series in chart.series for y in series.y if isfinite(y) and y > 0]
    log_x, log_y = chart.log_x and min(measured) > 0, chart.log_y and bool(positive)
    if log_x:
        axes.set_xscale("log")
    if log_y:
        axes.set_yscale("log")
    number_axis(axes.xaxis, log_x, measured)
    number_axis(axes.yaxis, log_y)
    axes.grid()
    name_axes(axes, chart.x_label, chart.y_label)
    # A name with a leading underscore would be left out of the legend.
    handles = [line for line in axes.lines if line.get_label() in names]
    figure.legend(handles, names, loc="outside upper left", ncols=columns, borderpad=0)
    return figure


def draw_series(axes: Axes, series: Series, name: str, index: int) -> None:
    """A line, its marks and its band."""
    colour = series_colour(index)
    axes.plot(
        series.x,
        series.y,
        "--" if series.dashed else "-",
        color=colour,
        label=name,
        linewidth=1.6,
        marker=MARKS[index % len(MARKS)] if len(series.x) <= MOST_MARKS else "",
        markersize=4.5,
    )
    if series.low and series.high:
        axes.fill_between(series.x, series.low, series.high, color=colour, alpha=0.16, linewidth=0)

"""Lines over a common axis, which differ by marker and name as well as by color."""

from math import isfinite
from textwrap import fill

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from csvision.page.axes import label_axes, set_ticks
from csvision.page.charts import Curves, Series
from csvision.page.colors import series_color
from csvision.page.svg import WIDTH

MARKERS = "os^DvPX"

MAX_MARKERS = 40
"""Points of a line beyond which markers would overlap."""

LEGEND_WIDTH = 46
"""Characters after which a name in the legend wraps."""


def draw_curves(chart: Curves) -> Figure:
    """Draw all series, with a legend above them."""
    names = [fill(series.name, LEGEND_WIDTH) for series in chart.series]
    columns = 2 if max(map(len, names)) <= LEGEND_WIDTH // 2 - 2 and len(names) > 1 else 1
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
    set_ticks(axes.xaxis, log_x, measured)
    set_ticks(axes.yaxis, log_y)
    axes.grid()
    label_axes(axes, chart.x_label, chart.y_label)
    # matplotlib leaves names with a leading underscore out of a legend without handles.
    handles = [line for line in axes.lines if line.get_label() in names]
    figure.legend(handles, names, loc="outside upper left", ncols=columns, borderpad=0)
    return figure


def draw_series(axes: Axes, series: Series, name: str, index: int) -> None:
    """Draw a line with its markers and its band."""
    color = series_color(index)
    axes.plot(
        series.x,
        series.y,
        "--" if series.dashed else "-",
        color=color,
        label=name,
        linewidth=1.6,
        marker=MARKERS[index % len(MARKERS)] if len(series.x) <= MAX_MARKERS else "",
        markersize=4.5,
    )
    if series.low and series.high:
        axes.fill_between(series.x, series.low, series.high, color=color, alpha=0.16, linewidth=0)

"""Named points on two axes."""

from textwrap import fill

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.text import Annotation
from matplotlib.transforms import Bbox

from csvision.claims.charts import Scatter
from csvision.report.claims.axes import name_axes, number_axis
from csvision.report.claims.colours import series_colour
from csvision.report.claims.svg import WIDTH

NAME = 24
"""Letters of a name before it goes on in the next line."""

SIDES = {
    (6, 0): ("left", "center"),
    (-6, 0): ("right", "center"),
    (0, 6): ("center", "bottom"),
    (0, -6): ("center", "top"),
    (5, 5): ("left", "bottom"),
    (5, -5): ("left", "top"),
    (-5, 5): ("right", "bottom"),
    (-5, -5): ("right", "top"),
}
"""Where a name can stand, best first: its distance from the point in points, and its anchor."""


def draw_scatter(chart: Scatter) -> Figure:
    """Every point with its name at the side where there is most room."""
    figure = Figure(figsize=(WIDTH, 3.2))
    axes = figure.subplots()
    x, y = zip(*chart.points.values(), strict=True)
    log_x, log_y = chart.log and min(x) > 0, chart.log and min(y) > 0
    if log_x:
        axes.set_xscale("log")
    if log_y:
        axes.set_yscale("log")
    axes.margins(0.15)
    axes.plot(x, y, "o", color=series_colour(0), markersize=6)
    number_axis(axes.xaxis, log_x)
    number_axis(axes.yaxis, log_y)
    axes.grid()
    name_axes(axes, chart.x_label, chart.y_label)
    # The places of points on paper are known only once the layout is.
    figure.draw_without_rendering()
    place_names(axes, chart.points)
    return figure


def place_names(axes: Axes, points: dict[str, tuple[float, float]]) -> None:
    """Write each name where it covers least of the points and of the names before it."""
    inside = axes.get_window_extent()
    taken = [
        Bbox.from_bounds(x - 4, y - 4, 8, 8)
        for x, y in axes.transData.transform(list(points.values()))
    ]
    for name, point in points.items():
        choices = []
        for rank, offset in enumerate(SIDES):
            label = write(axes, name, point, offset)
            box = label.get_window_extent()
            choices.append((outside(box, inside) + covered(box, taken), rank, offset))
            label.remove()
        _, _, best = min(choices)
        taken.append(write(axes, name, point, best).get_window_extent())


def write(axes: Axes, name: str, point: tuple[float, float], offset: tuple[int, int]) -> Annotation:
    """A name beside its point."""
    across, upright = SIDES[offset]
    return axes.annotate(
        fill(name, NAME), point, offset, textcoords="offset points", ha=across, va=upright
    )


def covered(box: Bbox, others: list[Bbox]) -> float:
    """How much of a box lies over others."""
    common = (Bbox.intersection(box, other) for other in others)
    return sum(both.width * both.height for both in common if both is not None)


def outside(box: Bbox, frame: Bbox) -> float:
    """How much of a box lies outside a frame."""
    return box.width * box.height - covered(box, [frame])

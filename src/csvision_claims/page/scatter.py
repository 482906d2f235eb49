"""Labeled points on two axes."""

from textwrap import fill

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.text import Annotation
from matplotlib.transforms import Bbox

from csvision.page.axes import label_axes, set_ticks
from csvision.page.colors import series_color
from csvision.page.svg import WIDTH
from csvision_claims.engine.charts import Scatter

LABEL_WIDTH = 24
"""Characters after which a label wraps."""

LABEL_ANCHORS = {
    (6, 0): ("left", "center"),
    (-6, 0): ("right", "center"),
    (0, 6): ("center", "bottom"),
    (0, -6): ("center", "top"),
    (5, 5): ("left", "bottom"),
    (5, -5): ("left", "top"),
    (-5, 5): ("right", "bottom"),
    (-5, -5): ("right", "top"),
}
"""Horizontal and vertical alignment of a label by its offset in points, preferred ones first."""


def draw_scatter(chart: Scatter) -> Figure:
    """Draw every point with its label on the side with the most space."""
    figure = Figure(figsize=(WIDTH, 3.2))
    axes = figure.subplots()
    x, y = zip(*chart.points.values(), strict=True)
    log_x, log_y = chart.log and min(x) > 0, chart.log and min(y) > 0
    if log_x:
        axes.set_xscale("log")
    if log_y:
        axes.set_yscale("log")
    axes.margins(0.15)
    axes.plot(x, y, "o", color=series_color(0), markersize=6)
    set_ticks(axes.xaxis, log_x)
    set_ticks(axes.yaxis, log_y)
    axes.grid()
    label_axes(axes, chart.x_label, chart.y_label)
    # The pixel positions of points are known only after the layout.
    figure.draw_without_rendering()
    place_labels(axes, chart.points)
    return figure


def place_labels(axes: Axes, points: dict[str, tuple[float, float]]) -> None:
    """Place each label where it overlaps points and earlier labels least."""
    frame = axes.get_window_extent()
    occupied = [
        Bbox.from_bounds(x - 4, y - 4, 8, 8)
        for x, y in axes.transData.transform(list(points.values()))
    ]
    for name, point in points.items():
        candidates = []
        for rank, offset in enumerate(LABEL_ANCHORS):
            label = add_label(axes, name, point, offset)
            box = label.get_window_extent()
            hidden = clipped_area(box, frame) + overlap_area(box, occupied)
            candidates.append((hidden, rank, offset))
            label.remove()
        _, _, best = min(candidates)
        occupied.append(add_label(axes, name, point, best).get_window_extent())


def add_label(
    axes: Axes, name: str, point: tuple[float, float], offset: tuple[int, int]
) -> Annotation:
    """Add the label of a point at an offset in points."""
    horizontal, vertical = LABEL_ANCHORS[offset]
    return axes.annotate(
        fill(name, LABEL_WIDTH),
        point,
        offset,
        textcoords="offset points",
        ha=horizontal,
        va=vertical,
    )


def overlap_area(box: Bbox, others: list[Bbox]) -> float:
    """Return the area of a box that overlaps others, summed over them."""
    overlaps = (Bbox.intersection(box, other) for other in others)
    return sum(overlap.width * overlap.height for overlap in overlaps if overlap is not None)


def clipped_area(box: Bbox, frame: Bbox) -> float:
    """Return the area of a box outside a frame."""
    return box.width * box.height - overlap_area(box, [frame])

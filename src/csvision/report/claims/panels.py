"""Matrices side by side: images, heat maps, filters."""

from collections.abc import Sequence
from math import ceil
from textwrap import fill

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from csvision.claims.charts import Panel, Panels
from csvision.report.claims.colours import INK
from csvision.report.claims.numbers import number
from csvision.report.claims.svg import WIDTH

MAPS = {"image": "gray", "heat": "cividis", "filter": "RdBu_r"}
"""The colours of each style; all are told apart without red and green."""

KEYS = {"image": "", "heat": "", "filter": "white is zero, red above, blue below"}
"""What a reader must know of the colours."""

CELL = 0.17
"""Inches that a cell needs at least; each letter of its value needs DIGIT."""

DIGIT = 0.07

MOST_WRITTEN = 12
"""Columns of a heat map beyond which its cells are too small for values."""

SIDE = 1.3
"""Inches of a panel where there is room for more."""

LEAST_SIDE = 0.4

GAP = 0.1

LETTER = 0.072
"""Inches that a letter of a title takes."""

LONGEST = 16
"""Letters of a word in a title that are kept together."""


def style_of(chart: Panels) -> str:
    """Image, heat or filter; raises ValueError for another style."""
    for style in MAPS:
        if chart.style.startswith(style):
            return style
    raise ValueError(f"style={chart.style} of {chart.title!r}: choose from {', '.join(MAPS)}")


def draw_panels(chart: Panels) -> Figure:
    """As many panels a row as the chart asks for and there is room for."""
    style = style_of(chart)
    arrays = [np.asarray(panel.values, dtype=np.float64) for panel in chart.panels]
    height, width = max(array.shape[0] for array in arrays), max(a.shape[1] for a in arrays)
    written = style == "heat" and width <= MOST_WRITTEN
    columns, side = layout(chart, arrays if written else [])
    rows = ceil(len(arrays) / columns)
    # Rounded up: a word that just fits must not be broken.
    letters = ceil(side / LETTER)
    titles = [fill(panel.title, letters) for panel in chart.panels]
    lines = max((title.count("\n") + 1 for title in titles if title), default=0)
    below = 0.17 if style == "filter" else 0
    each = side * height / width + 0.17 * lines + below + GAP
    figure = Figure(figsize=(columns * (side + GAP), rows * each))
    grid = figure.subplots(rows, columns, squeeze=False)
    for axes in grid.flat:
        axes.set_axis_off()
    for axes, panel, array, title in zip(grid.flat, chart.panels, arrays, titles, strict=False):
        draw_panel(axes, panel, array, style, written)
        axes.set_title(title, fontsize=8, pad=3)
    return figure


def layout(chart: Panels, written: list[NDArray[np.float64]]) -> tuple[int, float]:
    """Panels a row, and the inches that one takes: cells hold values, titles whole words."""
    words = [word for panel in chart.panels for word in panel.title.split()]
    title = LETTER * min(max(map(len, words), default=0), LONGEST)
    cells = [cell_side(value_texts(array)) * array.shape[1] for array in written]
    least = max(LEAST_SIDE, title, *cells)
    columns = max(1, min(chart.columns, len(chart.panels), int((WIDTH - GAP) / (least + GAP))))
    return columns, min(WIDTH / columns - GAP, max(SIDE, 1.6 * least))


def draw_panel(
    axes: Axes, panel: Panel, array: NDArray[np.float64], style: str, written: bool
) -> None:
    """A matrix (rows, columns), pixel by pixel as it is."""
    low, high = limits(panel, array, style)
    colours = matplotlib.colormaps[MAPS[style]]
    axes.imshow(
        np.ma.masked_invalid(array), cmap=colours, vmin=low, vmax=high, interpolation="none"
    )
    # On a page of its colour, an image without an edge would have no shape.
    height, width = array.shape
    axes.plot(
        np.array([0, width, width, 0, 0]) - 0.5,
        np.array([0, 0, height, height, 0]) - 0.5,
        color=INK,
        alpha=0.35,
        linewidth=0.6,
        clip_on=False,
    )
    axes.set_xlim(-0.5, width - 0.5)
    axes.set_ylim(height - 0.5, -0.5)
    if style == "filter":
        reach = f"\N{PLUS-MINUS SIGN}{number(high, 2)}"
        axes.text(0.5, -0.03, reach, transform=axes.transAxes, ha="center", va="top", fontsize=7)
    if written:
        texts = value_texts(array)
        for row, column in np.ndindex(*array.shape):
            value = float(array[row, column])
            red, green, blue, _ = colours((value - low) / ((high - low) or 1))
            light = 0.3 * red + 0.59 * green + 0.11 * blue > 0.5
            ink = INK if np.isnan(value) else "#111111" if light else "#ffffff"
            text = texts[row][column]
            axes.text(column, row, text, ha="center", va="center", fontsize=7, color=ink)


def limits(panel: Panel, array: NDArray[np.float64], style: str) -> tuple[float, float]:
    """The values of the darkest and the lightest colour; about zero for filters."""
    finite = array[np.isfinite(array)]
    low = panel.low if panel.low is not None else float(finite.min(initial=np.inf))
    high = panel.high if panel.high is not None else float(finite.max(initial=-np.inf))
    if low > high:
        return 0.0, 1.0
    reach = max(abs(low), abs(high)) or 1.0
    return (-reach, reach) if style == "filter" else (low, high)


def cell_side(texts: Sequence[Sequence[str]]) -> float:
    """The inches of a cell in which every value can be written."""
    return max(CELL, DIGIT * max(len(text) for row in texts for text in row) + 0.04)


def value_texts(array: NDArray[np.float64]) -> list[list[str]]:
    """The values of a matrix in few digits."""
    finite = array[np.isfinite(array)]
    digits = 4 if (finite == np.rint(finite)).all() else 2
    return [[number(value, digits) for value in row] for row in array.tolist()]

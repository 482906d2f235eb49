"""Matrices side by side: images, heat maps, filters."""

from collections.abc import Sequence
from math import ceil
from textwrap import fill

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from csvision.page.colors import FOREGROUND
from csvision.page.numbers import format_number
from csvision.page.svg import WIDTH
from csvision_claims.engine.charts import Panel, Panels

COLORMAPS = {"image": "gray", "heat": "cividis", "filter": "RdBu_r"}
"""The colormap of each style; none relies on red against green."""

LEGENDS = {"image": "", "heat": "", "filter": "white is zero, red above, blue below"}
"""What a reader must know about the colors of each style."""

MIN_CELL = 0.17
"""Smallest width of a cell in inches."""

CELL_CHARACTER_WIDTH = 0.07
"""Inches per character of a value in a cell."""

MAX_ANNOTATED_COLUMNS = 12
"""Columns of a heat map beyond which its cells are too small for values."""

PANEL_WIDTH = 1.3
"""Inches of a panel if there is enough space."""

MIN_PANEL_WIDTH = 0.4

GAP = 0.1

TITLE_CHARACTER_WIDTH = 0.072
"""Inches per character of a title."""

MAX_WORD_LENGTH = 16
"""Characters beyond which a word in a title is broken."""


def panel_style(chart: Panels) -> str:
    """Return image, heat or filter; raises ValueError for another style."""
    if chart.style in COLORMAPS:
        return chart.style
    choices = ", ".join(COLORMAPS)
    raise ValueError(f"{chart.title!r}: unknown style={chart.style}; choose from {choices}")


def draw_panels(chart: Panels) -> Figure:
    """Draw panels in rows of `chart.columns`, or of as many as fit."""
    style = panel_style(chart)
    arrays = [np.asarray(panel.values, dtype=np.float64) for panel in chart.panels]
    height, width = max(array.shape[0] for array in arrays), max(a.shape[1] for a in arrays)
    annotated = style == "heat" and width <= MAX_ANNOTATED_COLUMNS
    columns, panel_width = layout(chart, arrays if annotated else [])
    rows = ceil(len(arrays) / columns)
    # Rounded up, so that a word that just fits is not broken.
    characters = ceil(panel_width / TITLE_CHARACTER_WIDTH)
    titles = [fill(panel.title, characters) for panel in chart.panels]
    lines = max((title.count("\n") + 1 for title in titles if title), default=0)
    below = 0.17 if style == "filter" else 0
    row_height = panel_width * height / width + 0.17 * lines + below + GAP
    figure = Figure(figsize=(columns * (panel_width + GAP), rows * row_height))
    grid = figure.subplots(rows, columns, squeeze=False)
    for axes in grid.flat:
        axes.set_axis_off()
    for axes, panel, array, title in zip(grid.flat, chart.panels, arrays, titles, strict=False):
        draw_panel(axes, panel, array, style, annotated)
        axes.set_title(title, fontsize=8, pad=3)
    return figure


def layout(chart: Panels, annotated_arrays: list[NDArray[np.float64]]) -> tuple[int, float]:
    """Return panels per row and their width in inches, in which cell values and title words fit."""
    words = [word for panel in chart.panels for word in panel.title.split()]
    title = TITLE_CHARACTER_WIDTH * min(max(map(len, words), default=0), MAX_WORD_LENGTH)
    cells = [cell_width(format_values(array)) * array.shape[1] for array in annotated_arrays]
    least = max(MIN_PANEL_WIDTH, title, *cells)
    columns = max(1, min(chart.columns, len(chart.panels), int((WIDTH - GAP) / (least + GAP))))
    return columns, min(WIDTH / columns - GAP, max(PANEL_WIDTH, 1.6 * least))


def draw_panel(
    axes: Axes, panel: Panel, array: NDArray[np.float64], style: str, annotated: bool
) -> None:
    """Draw a matrix (rows, columns) without interpolation."""
    low, high = color_limits(panel, array, style)
    axes.imshow(
        np.ma.masked_invalid(array),
        cmap=matplotlib.colormaps[COLORMAPS[style]],
        vmin=low,
        vmax=high,
        interpolation="none",
    )
    # Without an outline, the border of an image would vanish on a page of the same color.
    height, width = array.shape
    axes.plot(
        np.array([0, width, width, 0, 0]) - 0.5,
        np.array([0, 0, height, height, 0]) - 0.5,
        color=FOREGROUND,
        alpha=0.35,
        linewidth=0.6,
        clip_on=False,
    )
    axes.set_xlim(-0.5, width - 0.5)
    axes.set_ylim(height - 0.5, -0.5)
    if style == "filter":
        limits = f"\N{PLUS-MINUS SIGN}{format_number(high, 2)}"
        axes.text(0.5, -0.03, limits, transform=axes.transAxes, ha="center", va="top", fontsize=7)
    if annotated:
        annotate_cells(axes, array, style, low, high)


def annotate_cells(
    axes: Axes, array: NDArray[np.float64], style: str, low: float, high: float
) -> None:
    """Write each value of a matrix into its cell, dark on light colors and light on dark ones."""
    colormap = matplotlib.colormaps[COLORMAPS[style]]
    texts = format_values(array)
    for row, column in np.ndindex(*array.shape):
        value = float(array[row, column])
        red, green, blue, _ = colormap((value - low) / ((high - low) or 1))
        light = 0.3 * red + 0.59 * green + 0.11 * blue > 0.5
        color = FOREGROUND if np.isnan(value) else "#111111" if light else "#ffffff"
        text = texts[row][column]
        axes.text(column, row, text, ha="center", va="center", fontsize=7, color=color)


def color_limits(panel: Panel, array: NDArray[np.float64], style: str) -> tuple[float, float]:
    """Return the values of the first and last color; symmetric about zero for filters."""
    finite = array[np.isfinite(array)]
    low = panel.low if panel.low is not None else float(finite.min(initial=np.inf))
    high = panel.high if panel.high is not None else float(finite.max(initial=-np.inf))
    if low > high:
        return 0.0, 1.0
    limit = max(abs(low), abs(high)) or 1.0
    return (-limit, limit) if style == "filter" else (low, high)


def cell_width(texts: Sequence[Sequence[str]]) -> float:
    """Return the width in inches of a cell in which every text fits."""
    return max(
        MIN_CELL, CELL_CHARACTER_WIDTH * max(len(text) for row in texts for text in row) + 0.04
    )


def format_values(array: NDArray[np.float64]) -> list[list[str]]:
    """Format the values of a matrix, with four digits for integers and two otherwise."""
    finite = array[np.isfinite(array)]
    digits = 4 if (finite == np.rint(finite)).all() else 2
    return [[format_number(value, digits) for value in row] for row in array.tolist()]

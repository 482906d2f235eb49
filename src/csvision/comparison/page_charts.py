"""The charts of a page: intervals, curves with bands, parallel coordinates."""

import csv
from collections.abc import Sequence
from math import isfinite
from pathlib import Path

import numpy as np
from markupsafe import Markup, escape
from matplotlib.figure import Figure

from csvision.comparison.importance import Cell, scale
from csvision.comparison.metric import Mode
from csvision.comparison.result import SettingResult
from csvision.comparison.statistics import MeanInterval
from csvision.page.charts import Curves, Series
from csvision.page.colors import FOREGROUND, series_color
from csvision.page.curves import draw_curves
from csvision.page.numbers import format_number
from csvision.page.svg import WIDTH, render_svg

MAX_LINES = 400
"""Lines of parallel coordinates: the best ones."""

BAR = 160
"""Width of the bar of an interval, in pixels."""


def interval_bar(interval: MeanInterval | None, low: float, high: float, chosen: bool) -> Markup:
    """Return a small picture of a mean with its interval on an axis from `low` to `high`."""
    if interval is None:
        return Markup("")
    span = (high - low) or 1.0

    def place(value: float) -> float:
        return round(4 + (BAR - 8) * (min(max(value, low), high) - low) / span, 1)

    color = f"var(--series-{2 if chosen else 1})"
    parts = []
    if interval.low is not None and interval.high is not None:
        left, right = place(interval.low), place(interval.high)
        parts.append(
            f'<line x1="{left}" x2="{right}" y1="8" y2="8" stroke="{color}" stroke-width="3"/>'
        )
    parts.append(f'<circle cx="{place(interval.mean)}" cy="8" r="4" fill="{color}"/>')
    alt = f"mean {format_number(interval.mean)}"
    if interval.low is not None and interval.high is not None:
        alt += f", interval {format_number(interval.low)} to {format_number(interval.high)}"
    return Markup(
        f'<svg class="bar" width="{BAR}" height="16" viewBox="0 0 {BAR} 16" role="img" '
        f'aria-label="{escape(alt)}">{"".join(parts)}</svg>'
    )


def bar_limits(intervals: Sequence[MeanInterval]) -> tuple[float, float]:
    """Return the limits of the axis of all bars; wide intervals of few runs are cut."""
    means = [interval.mean for interval in intervals]
    if not means:
        return 0.0, 1.0
    ends = [end for each in intervals for end in (each.low, each.high) if end is not None]
    span = (max(means) - min(means)) or max(map(abs, means)) * 0.05 or 1.0
    low, high = min(means) - span, max(means) + span
    return max(low, min([*ends, *means])), min(high, max([*ends, *means]))


def read_history(run: Path, names: Sequence[str]) -> dict[str, list[float]]:
    """Return columns of history.csv of a run; empty if it cannot be read."""
    try:
        with (run / "history.csv").open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        return {
            name: [float(row[name]) for row in rows] for name in names if rows and name in rows[0]
        }
    except (OSError, ValueError, TypeError):
        return {}


def curve_chart(settings: Sequence[SettingResult], name: str, mode: Mode) -> Curves | None:
    """Return the curves of a metric over epochs; bands reach from the lowest to the highest run."""
    series = []
    for setting in settings:
        runs = [read_history(Path(run), [name]).get(name, []) for run in setting.runs]
        runs = [run for run in runs if run and all(map(isfinite, run))]
        if not runs:
            continue
        length = min(map(len, runs))
        values = np.array([run[:length] for run in runs])
        band = len(runs) > 1
        series.append(
            Series(
                setting.label,
                [float(epoch) for epoch in range(1, length + 1)],
                values.mean(0).tolist(),
                values.min(0).tolist() if band else [],
                values.max(0).tolist() if band else [],
            )
        )
    if not series:
        return None
    best = max if mode == "max" else min
    ends = "; ".join(f"{each.name}: {best(each.y):.4f} at best" for each in series)
    return Curves(name, "epoch", name, series, f"{name} over epochs. {ends}")


def curve_svg(chart: Curves, prefix: str) -> Markup:
    """Return curves as SVG."""
    return Markup(render_svg(lambda: draw_curves(chart), prefix, chart.alt))


def parallel_svg(
    columns: dict[str, list[Cell]], metric: str, mode: Mode, values: Sequence[float], prefix: str
) -> Markup:
    """Return parallel coordinates: a vertical axis for each key, a line for each setting.

    Lines with a better metric are darker; the best one has another color.
    """
    order = np.argsort(values)
    ranked = order if mode == "max" else order[::-1]
    shown = ranked[-MAX_LINES:]
    alt = f"Parallel coordinates of {len(shown)} settings with {metric}: {', '.join(columns)}"
    axes_values: dict[str, list[Cell]] = {**columns, metric: [*map(float, values)]}

    def draw() -> Figure:
        figure = Figure(figsize=(WIDTH * (1 if len(axes_values) < 5 else 1.6), 3.0))
        axes = figure.subplots()
        places = np.array([scale(cells) for cells in axes_values.values()])
        for rank, index in enumerate(shown):
            best = rank == len(shown) - 1
            axes.plot(
                places[:, index],
                color=series_color(1 if best else 0),
                linewidth=2.2 if best else 1.0,
                alpha=1.0 if best else 0.15 + 0.6 * (rank / len(shown)) ** 2,
            )
        for place, (name, cells) in enumerate(axes_values.items()):
            axes.axvline(place, color=FOREGROUND, linewidth=0.6)
            low, high = axis_ends(cells)
            axes.text(place, -0.04, low, ha="center", va="top", fontsize=8)
            axes.text(place, 1.04, high, ha="center", va="bottom", fontsize=8)
            axes.text(place, 1.16, name, ha="center", va="bottom", fontsize=9)
        axes.set_axis_off()
        axes.set_xlim(-0.4, len(axes_values) - 0.6)
        return figure

    return Markup(render_svg(draw, prefix, alt))


def axis_ends(cells: Sequence[Cell]) -> tuple[str, str]:
    """Return the labels of the lower and the upper end of an axis."""
    if all(isinstance(cell, float) for cell in cells):
        numbers = [float(cell) for cell in cells]
        return format_number(min(numbers)), format_number(max(numbers))
    texts = sorted(map(str, cells))
    return texts[0][:14], texts[-1][:14]

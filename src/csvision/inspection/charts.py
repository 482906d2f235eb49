"""Charts of calibration and shifts."""

import numpy as np
from matplotlib import style
from matplotlib.figure import Figure

from csvision.inspection.calibration import Calibration
from csvision.inspection.proportions import Estimate
from csvision.inspection.shifts import Shifts
from csvision.page.colors import FOREGROUND, series_color
from csvision.page.svg import STYLE

SIZE = (3.75, 3.0)
"""Inches: the width of a phone."""


def error_bars(estimates: list[Estimate]) -> tuple[np.ndarray, np.ndarray]:
    """Return percentages and the lengths (2, N) of their error bars."""
    values = 100 * np.array([[each.value, each.low, each.high] for each in estimates]).T
    return values[0], np.stack([values[0] - values[1], values[2] - values[0]])


@style.context(["default", STYLE])
def plot_reliability(calibration: Calibration) -> Figure:
    """Plot the accuracy of each bin of confidence with its interval, and the diagonal."""
    figure = Figure(figsize=SIZE)
    axes = figure.subplots()
    axes.grid()
    axes.plot([0, 100], [0, 100], color=FOREGROUND, linewidth=0.8, linestyle=(0, (4, 2)))
    accuracy, bars = error_bars([each.accuracy for each in calibration.bins])
    confidence = [100 * each.confidence for each in calibration.bins]
    axes.errorbar(
        confidence, accuracy, bars, fmt="o", color=series_color(0), markersize=4, linewidth=1
    )
    axes.set_xlim(0, 102)
    axes.set_ylim(0, 102)
    axes.set_xlabel("confidence (%)")
    axes.set_title("accuracy (%); dashed: accuracy = confidence", loc="left")
    return figure


@style.context(["default", STYLE])
def plot_thresholds(calibration: Calibration) -> Figure:
    """Plot the accuracy and the share of the predictions that reach a confidence."""
    figure = Figure(figsize=SIZE)
    axes = figure.subplots()
    axes.grid()
    kept = [each for each in calibration.thresholds if each.rows]
    confidence = [100 * each.confidence for each in kept]
    accuracy, bars = error_bars([each.accuracy for each in kept])
    axes.errorbar(
        confidence,
        accuracy,
        bars,
        fmt="o-",
        color=series_color(0),
        markersize=4,
        linewidth=1,
        label="accuracy",
    )
    coverage = [100 * each.coverage for each in kept]
    axes.plot(
        confidence,
        coverage,
        "s--",
        color=series_color(1),
        markersize=4,
        linewidth=1,
        label="kept rows",
    )
    axes.set_ylim(0, 102)
    axes.set_xlabel("smallest confidence (%)")
    axes.set_title("accuracy of the kept rows, kept rows (%)", loc="left")
    axes.legend(loc="lower left")
    return figure


@style.context(["default", STYLE])
def plot_shifts(shifts: Shifts) -> Figure:
    """Plot accuracy and changed predictions by distance, which is 0 without a shift."""
    figure = Figure(figsize=SIZE)
    axes = figure.subplots()
    axes.grid()
    unchanged = Estimate(0.0, 0.0, 0.0)
    distances = [0, *shifts.distances]
    for series, first, color, format, label in (
        (shifts.accuracy, shifts.unshifted, series_color(0), "o-", "accuracy"),
        (shifts.changed, unchanged, series_color(1), "s--", "changed predictions"),
    ):
        values, bars = error_bars([first, *series])
        axes.errorbar(
            distances, values, bars, fmt=format, color=color, markersize=4, linewidth=1, label=label
        )
    axes.set_ylim(0, 102)
    axes.set_xticks(distances)
    axes.set_xlabel("shift in pixels, mean of four directions")
    axes.set_title("%", loc="left")
    axes.legend()
    return figure

"""Ticks, tick labels and axis labels."""

from collections.abc import Sequence
from itertools import pairwise
from textwrap import fill

from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.ticker import (
    FuncFormatter,
    Locator,
    LogLocator,
    MaxNLocator,
    NullFormatter,
    ScalarFormatter,
)

from csvision.page.numbers import format_si

MAX_LINE_LENGTH = 52
"""Characters that fit on one line of a chart."""

MAX_TICKS = 8

SI_THRESHOLD = 1e4
"""Axes that reach this value show k, M or G."""

NARROW_RATIO = 8
"""Logarithmic axes with a smaller ratio of their limits contain few powers of ten."""


def label_axes(axes: Axes, x_label: str, y_label: str) -> None:
    """Label both axes, the vertical one above it: rotated text is hard to read and takes width."""
    axes.set_xlabel(fill(x_label, MAX_LINE_LENGTH))
    axes.set_title(fill(y_label, MAX_LINE_LENGTH), loc="left", fontsize="medium")


def set_ticks(axis: Axis, log: bool, measured: Sequence[float] = ()) -> None:
    """Set ticks with plain numbers; a logarithmic axis has them at measured values if few."""
    values = sorted(set(measured))
    low, high = view_limits(axis)
    if log:
        axis.set_minor_formatter(NullFormatter())
        axis.set_major_formatter(FuncFormatter(lambda value, _: format_si(value)))
        if 1 < len(values) <= MAX_TICKS and are_integers(values) and are_spaced(values):
            axis.set_ticks(values)
            axis.set_ticks([], minor=True)
        else:
            axis.set_major_locator(log_locator(high / low))
            if high < NARROW_RATIO * low:
                axis.set_ticks([], minor=True)
        return
    axis.set_major_locator(MaxNLocator(6, steps=[1, 2, 2.5, 5, 10], integer=are_integers(values)))
    if max(abs(low), abs(high)) >= SI_THRESHOLD:
        axis.set_major_formatter(FuncFormatter(lambda value, _: format_si(value)))
    else:
        plain = ScalarFormatter(useOffset=False)
        plain.set_scientific(False)
        axis.set_major_formatter(plain)


def log_locator(ratio: float) -> Locator:
    """Return the tick locator of a logarithmic axis with this ratio of its limits."""
    if ratio < NARROW_RATIO:
        return MaxNLocator(5, steps=[1, 2, 5, 10])
    return LogLocator(subs=(1, 2, 5) if ratio < 50 else (1,))


def view_limits(axis: Axis) -> tuple[float, float]:
    """Return the limits of an axis; its own view interval is updated too late."""
    return axis.axes.get_xlim() if axis is axis.axes.xaxis else axis.axes.get_ylim()


def are_integers(values: Sequence[float]) -> bool:
    """Return whether there are values and all are integers."""
    return bool(values) and all(float(value).is_integer() for value in values)


def are_spaced(values: Sequence[float]) -> bool:
    """Return whether tick labels at sorted values of a logarithmic axis do not touch."""
    least = (values[-1] / values[0]) ** (1 / 10)
    return all(two > one * least for one, two in pairwise(values))

"""How axes are numbered and named."""

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

from csvision.report.claims.numbers import compact

LINE = 52
"""Letters that a picture has room for beside each other."""

MOST_MARKED = 8
COMPACT = 1e4
"""Numbers from here on are written with k, M or G."""

FEW_TIMES = 8


def name_axes(axes: Axes, x_label: str, y_label: str) -> None:
    """Name the upright axis above it: a name along it is hard to read and takes width."""
    axes.set_xlabel(fill(x_label, LINE))
    axes.set_title(fill(y_label, LINE), loc="left", fontsize="medium")


def number_axis(axis: Axis, log: bool, measured: Sequence[float] = ()) -> None:
    """Plain numbers, at the measured places of a logarithmic axis if these are few."""
    places = sorted(set(measured))
    low, high = view(axis)
    if log:
        axis.set_minor_formatter(NullFormatter())
        axis.set_major_formatter(FuncFormatter(lambda value, _: compact(value)))
        if 1 < len(places) <= MOST_MARKED and whole(places) and well_apart(places):
            axis.set_ticks(places)
            axis.set_ticks([], minor=True)
        else:
            axis.set_major_locator(log_locator(high / low))
            if high < FEW_TIMES * low:
                axis.set_ticks([], minor=True)
        return
    axis.set_major_locator(MaxNLocator(6, steps=[1, 2, 2.5, 5, 10], integer=whole(places)))
    if max(abs(low), abs(high)) >= COMPACT:
        axis.set_major_formatter(FuncFormatter(lambda value, _: compact(value)))
    else:
        plain = ScalarFormatter(useOffset=False)
        plain.set_scientific(False)
        axis.set_major_formatter(plain)


def log_locator(span: float) -> Locator:
    """Ticks for a range of so many times its start: over a few times powers of ten are rare."""
    if span < FEW_TIMES:
        return MaxNLocator(5, steps=[1, 2, 5, 10])
    return LogLocator(subs=(1, 2, 5) if span < 50 else (1,))


def view(axis: Axis) -> tuple[float, float]:
    """The range that an axis shows, which its own view interval is late to know."""
    return axis.axes.get_xlim() if axis is axis.axes.xaxis else axis.axes.get_ylim()


def whole(places: Sequence[float]) -> bool:
    """Whether all are whole numbers, between which there is nothing."""
    return bool(places) and all(float(place).is_integer() for place in places)


def well_apart(places: Sequence[float]) -> bool:
    """Whether numbers under these places of a logarithmic axis do not touch."""
    least = (places[-1] / places[0]) ** (1 / 10)
    return all(two > one * least for one, two in pairwise(places))

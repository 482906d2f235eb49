"""Lines over a common axis as plain data; csvision.page.curves draws them.

`alt` is the text alternative: it says what a reader would see.
"""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Series:
    """A line, optionally with a band from `low` to `high`; `dashed` marks a reference."""

    name: str
    x: list[float]
    y: list[float]
    low: list[float] = field(default_factory=list)
    high: list[float] = field(default_factory=list)
    dashed: bool = False


@dataclass(frozen=True)
class Curves:
    """Lines over a common axis, with a marker at each measured point."""

    title: str
    x_label: str
    y_label: str
    series: list[Series]
    alt: str
    log_x: bool = False
    log_y: bool = False
    type: str = "curves"

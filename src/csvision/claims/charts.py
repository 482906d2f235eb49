"""What a claim's picture shows, as plain data; csvision.report draws it.

`alt` says in words what a reader would see.
"""

from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True)
class Bars:
    """A horizontal bar for each value, with the value beside it."""

    title: str
    unit: str
    values: dict[str, float]
    alt: str
    log: bool = False
    kind: str = "bars"


@dataclass(frozen=True)
class Series:
    """A line with, where given, a band around it; `dashed` for what it is compared with."""

    name: str
    x: list[float]
    y: list[float]
    low: list[float] = field(default_factory=list)
    high: list[float] = field(default_factory=list)
    dashed: bool = False


@dataclass(frozen=True)
class Curves:
    """Lines over a common axis; `points` marks each place that was measured."""

    title: str
    x_label: str
    y_label: str
    series: list[Series]
    alt: str
    log_x: bool = False
    log_y: bool = False
    kind: str = "curves"


@dataclass(frozen=True)
class Panel:
    """A matrix of values from `low` to `high` (default: its own range)."""

    title: str
    values: list[list[float]]
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class Panels:
    """Matrices side by side: images in grey, heat maps with their values, filters about zero."""

    title: str
    panels: list[Panel]
    alt: str
    style: str = "image"
    columns: int = 6
    kind: str = "panels"


@dataclass(frozen=True)
class Scatter:
    """Named points on two axes."""

    title: str
    x_label: str
    y_label: str
    points: dict[str, tuple[float, float]]
    alt: str
    log: bool = True
    kind: str = "scatter"


Chart = Bars | Curves | Panels | Scatter

KINDS: dict[str, Any] = {"bars": Bars, "panels": Panels, "scatter": Scatter, "curves": Curves}


def chart_of(values: dict[str, Any]) -> Chart:
    """The chart that `asdict` made plain values of."""
    arguments = dict(values)
    for name, kind in (("series", Series), ("panels", Panel)):
        if name in arguments:
            arguments[name] = [kind(**entry) for entry in arguments[name]]
    if values["kind"] == "scatter":
        arguments["points"] = {name: tuple(point) for name, point in values["points"].items()}
    chart: Chart = KINDS[values["kind"]](**arguments)
    return chart


def plain_chart(chart: Chart) -> dict[str, Any]:
    """A chart as values that JSON can hold."""
    return asdict(chart)

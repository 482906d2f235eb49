"""The charts of a claim as plain data; csvision_claims.page draws them.

`alt` is the text alternative: it says what a reader would see.
"""

from dataclasses import dataclass
from typing import Any

from csvision.page.charts import Curves as Curves
from csvision.page.charts import Series as Series


@dataclass(frozen=True)
class Bars:
    """A horizontal bar for each value, with the value next to it."""

    title: str
    unit: str
    values: dict[str, float]
    alt: str
    log: bool = False
    type: str = "bars"


@dataclass(frozen=True)
class Panel:
    """A matrix of values shown from `low` to `high` (default: the range of its values)."""

    title: str
    values: list[list[float]]
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class Panels:
    """Matrices side by side; `style` is image (gray), heat (with values) or filter (signed)."""

    title: str
    panels: list[Panel]
    alt: str
    style: str = "image"
    columns: int = 6
    type: str = "panels"


@dataclass(frozen=True)
class Scatter:
    """Named points on two axes."""

    title: str
    x_label: str
    y_label: str
    points: dict[str, tuple[float, float]]
    alt: str
    log: bool = True
    type: str = "scatter"


Chart = Bars | Curves | Panels | Scatter

CHART_TYPES: dict[str, Any] = {
    "bars": Bars,
    "panels": Panels,
    "scatter": Scatter,
    "curves": Curves,
}


def chart_from_dict(values: dict[str, Any]) -> Chart:
    """Return the chart that `dataclasses.asdict` converted."""
    arguments = dict(values)
    for name, part_type in (("series", Series), ("panels", Panel)):
        if name in arguments:
            arguments[name] = [part_type(**entry) for entry in arguments[name]]
    if values["type"] == "scatter":
        arguments["points"] = {name: tuple(point) for name, point in values["points"].items()}
    chart: Chart = CHART_TYPES[values["type"]](**arguments)
    return chart

"""The pictures of a claim as elements of a page."""

from dataclasses import dataclass

from matplotlib.figure import Figure

from csvision.claims.charts import Bars, Chart, Curves, Panels
from csvision.claims.record import StatementRecord
from csvision.report.claims.bars import draw_bars
from csvision.report.claims.curves import draw_curves
from csvision.report.claims.intervals import draw_strip, has_strip
from csvision.report.claims.panels import KEYS, draw_panels, style_of
from csvision.report.claims.scatter import draw_scatter
from csvision.report.claims.svg import svg_of
from csvision.report.claims.wording import strip_alt


@dataclass(frozen=True)
class Picture:
    """An <svg> element with what stands under it."""

    svg: str
    title: str
    key: str = ""


def picture_of(chart: Chart, name: str) -> Picture | None:
    """The picture of a chart; None for one of nothing. `name` is the page's only one."""
    if not content(chart):
        return None
    key = KEYS[style_of(chart)] if isinstance(chart, Panels) else ""
    return Picture(svg_of(lambda: draw(chart), name, chart.alt), chart.title, key)


def strip_of(statement: StatementRecord) -> str:
    """The strip of a statement; no text where no interval decided."""
    if not has_strip(statement):
        return ""
    return svg_of(lambda: draw_strip(statement), f"strip-{statement.id}", strip_alt(statement))


def content(chart: Chart) -> bool:
    """Whether a chart has something to show."""
    match chart:
        case Bars():
            return bool(chart.values)
        case Curves():
            return any(series.x for series in chart.series)
        case Panels():
            return bool(chart.panels)
    return bool(chart.points)


def draw(chart: Chart) -> Figure:
    """Draw a chart of any kind."""
    match chart:
        case Bars():
            return draw_bars(chart)
        case Curves():
            return draw_curves(chart)
        case Panels():
            return draw_panels(chart)
    return draw_scatter(chart)

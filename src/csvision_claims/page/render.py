"""Render the charts of a claim as elements of a page."""

from dataclasses import dataclass

from matplotlib.figure import Figure

from csvision.page.curves import draw_curves
from csvision.page.svg import render_svg
from csvision_claims.engine.charts import Bars, Chart, Curves, Panels
from csvision_claims.engine.record import StatementRecord
from csvision_claims.page.bars import draw_bars
from csvision_claims.page.colors import CSS_VALUES
from csvision_claims.page.intervals import draw_interval_plot, has_interval_plot
from csvision_claims.page.panels import LEGENDS, draw_panels, panel_style
from csvision_claims.page.scatter import draw_scatter
from csvision_claims.page.text import describe_interval


@dataclass(frozen=True)
class RenderedChart:
    """An <svg> element with its caption."""

    svg: str
    title: str
    legend: str = ""


def render_chart(chart: Chart, prefix: str) -> RenderedChart | None:
    """Return a chart as SVG, None if it has no data; `prefix` must be unique on the page."""
    if not has_data(chart):
        return None
    legend = LEGENDS[panel_style(chart)] if isinstance(chart, Panels) else ""
    svg = render_svg(lambda: draw(chart), prefix, chart.alt, CSS_VALUES)
    return RenderedChart(svg, chart.title, legend)


def render_interval_plot(statement: StatementRecord) -> str:
    """Return the interval plot of a statement as SVG, "" if no interval decided."""
    if not has_interval_plot(statement):
        return ""
    return render_svg(
        lambda: draw_interval_plot(statement),
        f"interval-{statement.id}",
        describe_interval(statement),
        CSS_VALUES,
    )


def has_data(chart: Chart) -> bool:
    """Return whether a chart has anything to show."""
    match chart:
        case Bars():
            return bool(chart.values)
        case Curves():
            return any(series.x for series in chart.series)
        case Panels():
            return bool(chart.panels)
    return bool(chart.points)


def draw(chart: Chart) -> Figure:
    """Draw a chart of any type."""
    match chart:
        case Bars():
            return draw_bars(chart)
        case Curves():
            return draw_curves(chart)
        case Panels():
            return draw_panels(chart)
    return draw_scatter(chart)

"""Charts as SVG: contents, determinism, and independence of the page around them."""

import re
from dataclasses import replace
from xml.etree import ElementTree

import numpy as np
import pytest

from csvision_claims.engine.charts import Bars, Chart, Curves, Panel, Panels, Scatter, Series
from csvision_claims.page.bars import draw_bars
from csvision_claims.page.panels import color_limits
from csvision_claims.page.render import render_chart
from tests.csvision_claims.page.samples import (
    AWKWARD,
    LONG,
    RECORDS,
    bars,
    curves,
    panels,
    scatter,
)
from tests.csvision_claims.page.svg import markers, text_elements

CHARTS: list[Chart] = [chart for record in RECORDS for chart in record.charts]

AWKWARD_BARS = RECORDS[2].charts[2]


def svg(chart: Chart, name: str = "p") -> str:
    """Render a chart that is not empty."""
    picture = render_chart(chart, name)
    assert picture
    return picture.svg


@pytest.mark.parametrize("chart", CHARTS, ids=lambda chart: f"{chart.type}-{chart.title[:12]}")
class TestEachChart:
    @pytest.mark.slow
    def test_rendering_is_deterministic(self, chart: Chart) -> None:
        assert svg(chart) == svg(chart)

    def test_svg_has_a_text_alternative(self, chart: Chart) -> None:
        root = ElementTree.fromstring(svg(chart))
        assert root.attrib["role"] == "img"
        assert root.attrib["aria-label"] == chart.alt

    def test_ids_have_the_prefix_and_links_have_targets(self, chart: Chart) -> None:
        drawn = svg(chart, "mine")
        ids = [
            node.attrib["id"]
            for node in ElementTree.fromstring(drawn).iter()
            if "id" in node.attrib
        ]
        assert len(ids) == len(set(ids))
        assert all(id.startswith("mine-") for id in ids)
        links = re.findall(r'(?:href="|url\()#([^")]+)', drawn)
        assert set(links) <= set(ids)
        assert not re.search(r'href="(?!#|data:)', drawn)

    def test_colors_and_font_are_those_of_the_page(self, chart: Chart) -> None:
        drawn = svg(chart)
        bare = re.sub(r"var\([^)]*\)", "", drawn)
        assert set(re.findall(r"#[0-9a-f]{6}\b", bare)) <= {"#111111", "#ffffff"}
        assert "currentColor" in drawn
        assert "font-family" not in drawn
        assert "<style" not in drawn
        assert "<metadata" not in drawn

    def test_svg_is_small(self, chart: Chart) -> None:
        assert len(svg(chart)) < 60_000


class TestBars:
    def test_bars_are_labeled_with_their_values(self) -> None:
        expected = {"MLP", "CNN", "guess", "%", "86.13", "88.32", "10.00"}
        assert set(text_elements(svg(bars()))) == expected

    @pytest.mark.slow
    def test_length_is_proportional_to_the_value(self) -> None:
        drawn = ElementTree.fromstring(svg(bars(values={"one": 1.0, "three": 3.0})))
        filled = [p.attrib["d"] for p in drawn.iter("path") if "series-1" in p.attrib["style"]]
        lengths = []
        for path in filled:
            across = [float(x) for x in re.findall(r"[ML] (-?[\d.]+)", path)]
            lengths.append(max(across) - min(across))
        assert lengths[1] == pytest.approx(3 * lengths[0], rel=0.01)

    def test_missing_and_infinite_values_are_labeled(self) -> None:
        shown = text_elements(svg(AWKWARD_BARS))
        assert {"1.500", "\N{MINUS SIGN}2.500", "\N{EN DASH}", "\N{INFINITY}"} <= set(shown)

    def test_long_names_are_wrapped(self) -> None:
        shown = text_elements(svg(AWKWARD_BARS))
        assert "".join(shown).count("convolutional") > 5
        assert max(map(len, shown)) <= 52

    def test_logarithmic_axis_is_labeled(self) -> None:
        shown = text_elements(svg(bars(log=True)))
        assert "logarithmic scale" in shown
        assert {"1", "10", "100"} <= set(shown)
        assert "logarithmic scale" not in text_elements(svg(bars(log=True, values={"a": 0.0})))


class TestCurves:
    def test_axes_and_legend_are_labeled(self) -> None:
        shown = text_elements(svg(curves()))
        assert {"CNN", "MLP", "before training", "filters", "test accuracy, %"} <= set(shown)
        # The measured points of a logarithmic axis.
        assert {"1", "2", "4", "8", "16"} <= set(shown)

    def test_curves_differ_in_marker_and_dashes_too(self) -> None:
        drawn = svg(curves())
        used = {
            name: {node.attrib["href"] for node in markers(drawn, name)}
            for name in ("--series-1", "--series-2", "--series-3")
        }
        shapes = [link for name, links in used.items() for link in links]
        assert "stroke-dasharray" in drawn
        assert len(shapes) == len(set(shapes)) >= 3

    def test_each_measured_point_has_a_marker(self) -> None:
        # One more marker for the legend.
        assert len(markers(svg(curves()), "--series-2")) == 5 + 1

    def test_many_points_have_no_markers(self) -> None:
        many = Series("many", [float(x) for x in range(100)], [float(x) for x in range(100)])
        assert not markers(svg(replace(curves(), series=[many], log_x=False)), "--series-1")


class TestPanels:
    def test_image_is_embedded_pixel_by_pixel(self) -> None:
        (one, two) = ElementTree.fromstring(svg(panels("image"))).iter("image")
        assert one.attrib["width"] == one.attrib["height"] == "5"
        assert one.attrib["href"].startswith("data:image/png;base64,")
        assert "pixelated" in one.attrib["style"]
        assert one.attrib["href"] != two.attrib["href"]

    def test_heat_map_cells_contain_their_values(self) -> None:
        shown = text_elements(
            svg(Panels("t", [Panel("", [[0.25, 12.0], [3.0, -1.0]])], "a", "heat"))
        )
        assert shown == ["0.25", "12", "3", "\N{MINUS SIGN}1"]

    def test_filter_is_white_at_zero(self) -> None:
        panel = Panel("", [[-1.0, 4.0]])
        assert color_limits(panel, np.array(panel.values), "filter") == (-4, 4)
        assert color_limits(panel, np.array(panel.values), "image") == (-1, 4)
        assert color_limits(replace(panel, low=0, high=2), np.array(panel.values), "image") == (
            0,
            2,
        )
        picture = render_chart(panels("filter"), "p")
        assert picture
        assert "white is zero" in picture.legend
        assert "\N{PLUS-MINUS SIGN}3" in text_elements(picture.svg)

    def test_unknown_style_is_rejected(self) -> None:
        with pytest.raises(ValueError, match=r"'a matrix as oil': .*style=oil"):
            render_chart(panels("oil"), "p")


def test_scatter_points_are_labeled() -> None:
    assert {"MLP", "CNN", "CNN, pooled", "parameters", "multiply-adds, M"} <= set(
        text_elements(svg(scatter()))
    )


@pytest.mark.parametrize(
    "chart",
    [
        bars(values={}),
        Curves("t", "x", "y", [Series("s", [], [])], "a"),
        Panels("t", [], "a"),
        Scatter("t", "x", "y", {}, "a"),
    ],
    ids=lambda chart: chart.type,
)
def test_empty_chart_is_not_rendered(chart: Chart) -> None:
    assert render_chart(chart, "p") is None


def test_names_with_markup_are_drawn_literally() -> None:
    drawn = svg(Bars(AWKWARD, AWKWARD, {AWKWARD: 1.0}, AWKWARD))
    assert "$x_1$" in "".join(text_elements(drawn))
    assert "<script" not in drawn
    assert LONG[:20] not in drawn


@pytest.mark.slow
@pytest.mark.parametrize(
    ("values", "left", "right"),
    [([2.0, 10.0], 0, 12), ([-10.0, -5.0], -12, 0), ([-5.0, 5.0], -7, 7), ([0.0], 0, 1)],
)
def test_axis_limits_leave_room_for_the_labels(
    values: list[float], left: float, right: float
) -> None:
    (axes,) = draw_bars(bars(values={str(value): value for value in values})).axes
    assert axes.get_xlim() == (left, right)

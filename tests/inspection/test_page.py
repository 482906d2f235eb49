"""The page of an inspection in a browser."""

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from csvision.inspection.result import Inspection
from tests.browser import SCHEMES, WIDTHS, Scheme, open_page, page_problems

pytestmark = pytest.mark.slow

SECTIONS = [
    "layers",
    "classes",
    "confusions",
    "confidence",
    "mistakes",
    "labels",
    "shifts",
    "filters",
    "maps",
    "attributions",
]


@pytest.fixture(params=["small", "color"])
def page_path(request: pytest.FixtureRequest) -> Path:
    inspection: Inspection = request.getfixturevalue(f"{request.param}_inspection")
    return inspection.directory / "index.html"


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("scheme", SCHEMES)
def test_page_has_no_overflow_low_contrast_or_errors(
    browser: Browser, page_path: Path, width: int, scheme: Scheme
) -> None:
    assert page_problems(browser, page_path, width, scheme) == []


def test_page_has_all_sections_each_with_an_introduction(
    browser: Browser, small_inspection: Inspection
) -> None:
    with open_page(browser, small_inspection.directory / "index.html") as visit:
        sections = visit.page.locator("main > section")
        assert sections.evaluate_all("(all) => all.map((one) => one.id)") == SECTIONS
        introductions = visit.page.locator("main > section > h2 + p").all_inner_texts()
        assert len(introductions) == len(SECTIONS)
        assert all(len(text) > 60 for text in introductions)
        # Each answer leads to its section.
        links = visit.page.locator(".answers a").evaluate_all(
            "(all) => all.map((one) => one.getAttribute('href').slice(1))"
        )
        assert set(links) <= set(SECTIONS)
        assert len(links) == 8


def test_pictures_have_texts_and_are_not_smoothed(
    browser: Browser, small_inspection: Inspection
) -> None:
    with open_page(browser, small_inspection.directory / "index.html") as visit:
        images = visit.page.locator("img")
        texts = images.evaluate_all("(all) => all.map((one) => one.alt)")
        assert all(len(text) > 15 for text in texts)
        rendering = "(all) => all.map((one) => getComputedStyle(one).imageRendering)"
        assert set(images.evaluate_all(rendering)) == {"pixelated"}


@pytest.mark.parametrize(
    ("section", "number"),
    [
        ("layers", lambda found: f"{found.layers.layers[0].multiply_adds:,}"),
        ("confidence", lambda found: f"{100 * found.calibration.error:.1f} %"),
        ("shifts", lambda found: f"{100 * found.shifts.fall[0].value:.1f} points"),
        ("shifts", lambda found: f"{100 * found.shifts.changed[1].value:.1f} %"),
        ("classes", lambda found: f"{100 * found.class_scores[3].recall.value:.1f} %"),
        ("mistakes", lambda found: f"row {found.mistakes[0].row}"),
    ],
)
def test_section_has_the_numbers_of_the_result(
    browser: Browser,
    small_inspection: Inspection,
    section: str,
    number: Callable[[Inspection], str],
) -> None:
    with open_page(browser, small_inspection.directory / "index.html") as visit:
        text = visit.page.locator(f"#{section}").inner_text().replace("\N{NO-BREAK SPACE}", " ")
        assert number(small_inspection) in text


EDGES = """
() => [...document.querySelectorAll(".scroll, .maps")].filter((node) => node.checkVisibility())
  .map((node) => {
    node.scrollIntoView({block: "center"});
    const at = () => {
      const box = node.getBoundingClientRect();
      const found = document.elementsFromPoint(box.right - 4, (box.top + box.bottom) / 2);
      return found.map((each) => each.className).filter((name) => ["more", "end"].includes(name));
    };
    const right = node.firstElementChild.getBoundingClientRect().right;
    const hidden = right > node.getBoundingClientRect().right - 4;
    // The arrow lets clicks pass; elementsFromPoint ignores such elements.
    node.querySelector(".more").style.pointerEvents = "auto";
    const before = at();
    node.scrollLeft = node.scrollWidth;
    const last = node.firstElementChild.getBoundingClientRect();
    const top = document.elementFromPoint(last.right - 3, (last.top + last.bottom) / 2);
    return [hidden, before[0] ?? "", at()[0] ?? "", ["more", "end"].includes(top.className)];
  })
"""


@pytest.mark.parametrize("width", WIDTHS)
def test_regions_show_an_arrow_until_they_are_scrolled_to_their_end(
    browser: Browser, small_inspection: Inspection, width: int
) -> None:
    with open_page(browser, small_inspection.directory / "index.html", width) as visit:
        edges = visit.page.evaluate(EDGES)
        if width == 400:
            assert [True, "more", "end", False] in edges
        assert {tuple(edge) for edge in edges} <= {
            (True, "more", "end", False),
            (False, "end", "end", False),
        }


def test_intervals_are_visible_on_a_phone(browser: Browser, small_inspection: Inspection) -> None:
    with open_page(browser, small_inspection.directory / "index.html", 400) as visit:
        for section in ("classes", "confidence", "shifts"):
            region = visit.page.locator(f"#{section} .scroll").first
            table = region.locator("table").bounding_box()
            frame = region.bounding_box()
            assert table is not None
            assert frame is not None
            assert table["x"] + table["width"] <= frame["x"] + frame["width"]

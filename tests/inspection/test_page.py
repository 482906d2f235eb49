"""The page of an inspection in a browser."""

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from csvision.inspection.result import Inspection
from tests.browser import SCHEMES, WIDTHS, Scheme, open_page, page_problems

pytestmark = pytest.mark.slow

SECTIONS = [
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
        assert len(links) == 6


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
        ("confidence", lambda found: f"{100 * found.calibration.error:.1f} %"),
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

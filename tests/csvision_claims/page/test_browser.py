"""The page in a real browser: narrow and wide, light and dark, on screen and printed."""

from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.browser import SCHEMES, WIDTHS, Scheme, column, low_contrast, open_page, page_problems

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("width", [320, *WIDTHS])
@pytest.mark.parametrize("scheme", SCHEMES)
def test_page_has_no_overflow_low_contrast_or_errors(
    browser: Browser, path: Path, width: int, scheme: Scheme
) -> None:
    assert page_problems(browser, path, width, scheme) == []


def test_colors_follow_the_color_scheme(browser: Browser, path: Path) -> None:
    backgrounds = {}
    for scheme in SCHEMES:
        with open_page(browser, path, scheme=scheme) as visit:
            backgrounds[scheme] = visit.page.evaluate(
                "getComputedStyle(document.body).backgroundColor"
            )
            # Text in a picture has the color of the text around it.
            color = visit.page.evaluate("getComputedStyle(document.body).color")
            text = visit.page.locator("svg text", has_text="guess").first
            assert text.evaluate("(node) => getComputedStyle(node).fill") == color
    assert backgrounds == {"light": "rgb(255, 255, 255)", "dark": "rgb(20, 23, 26)"}


@pytest.mark.parametrize("width", WIDTHS)
def test_click_on_a_header_sorts_the_table(browser: Browser, path: Path, width: int) -> None:
    with open_page(browser, path, width) as visit:
        page = visit.page
        ids = column(page, 1)
        assert " ".join(ids) == "A1a A1b B1a B1b B1c B2a B2b B2c B2d B2e"
        page.get_by_role("button", name="Verdict").click()
        assert " ".join(column(page, 1)) == "A1a B1a B2a A1b B1b B1c B2c B2d B2e B2b"
        header = page.locator("table.sortable thead th").nth(2)
        assert header.get_attribute("aria-sort") == "ascending"
        page.get_by_role("button", name="Verdict").click()
        assert " ".join(column(page, 1)) == "B2b B1c B2c B2d B2e A1b B1b A1a B1a B2a"
        assert header.get_attribute("aria-sort") == "descending"
        page.get_by_role("button", name="Statement").click()
        assert header.get_attribute("aria-sort") is None
        titles = page.locator("table.sortable tbody .claim-title").all_inner_texts()
        statements = [
            text.removeprefix(title).strip().replace("\xa0", " ").casefold()
            for text, title in zip(column(page, 2), titles, strict=True)
        ]
        assert statements == sorted(statements)
        # In a sorted table, each statement shows the title of its claim.
        assert all(titles)
        page.get_by_role("button", name="Id").click()
        assert column(page, 1) == ids


def test_effects_are_sorted_within_their_unit(browser: Browser, path: Path) -> None:
    with open_page(browser, path) as visit:
        visit.page.get_by_role("button", name="Effect").click()
        points = [text for text in column(visit.page, 4) if " points" in text]
        values = [float(text.split()[0]) for text in points]
        assert len(values) == 5
        assert values == sorted(values)


def test_counts_are_sorted_as_numbers(browser: Browser, path: Path) -> None:
    with open_page(browser, path) as visit:
        visit.page.get_by_role("button", name="Pairs or cases").click()
        counts = [int(text) for text in column(visit.page, 5)]
        assert counts == sorted(counts)
        assert counts[-1] == 80


def test_page_is_complete_without_javascript(browser: Browser, path: Path) -> None:
    with open_page(browser, path, java_script_enabled=False) as visit:
        assert visit.page.locator("table.sortable tbody tr").count() == 10
        assert visit.page.locator("button").count() == 0
    assert visit.errors == []


@pytest.mark.parametrize("scheme", SCHEMES)
def test_printed_page_is_white_without_controls(
    browser: Browser, path: Path, scheme: Scheme
) -> None:
    with open_page(browser, path, scheme=scheme) as visit:
        page = visit.page
        arrow = "getComputedStyle(document.querySelector('.sortable button'), '::after').content"
        assert page.evaluate(arrow) == '" ↕"'
        page.emulate_media(media="print", color_scheme=scheme)
        assert page.evaluate(arrow) in ('""', "none", "normal")
        background = page.evaluate("getComputedStyle(document.body).backgroundColor")
        assert background == "rgb(255, 255, 255)"
        assert page.locator(".back").first.is_hidden()
        breaks = "(node) => getComputedStyle(node).breakInside"
        assert {figure.evaluate(breaks) for figure in page.locator("figure").all()} == {"avoid"}
        assert low_contrast(page) == []
        assert page.pdf(format="A4").startswith(b"%PDF")
        assert page.locator("details:not([open])").count() == 0
    assert visit.errors == []

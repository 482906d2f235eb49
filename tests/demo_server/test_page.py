"""The page of the demo in a browser: upload, draw, and look."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, expect

import csvision
from tests.browser import SCHEMES, WIDTHS, Scheme, low_contrast, overflow

pytestmark = pytest.mark.slow


@pytest.fixture
def page(browser: Browser, address: str) -> Page:
    page = browser.new_page()
    page.goto(address)
    page.wait_for_selector("#layers img")
    return page


def test_uploaded_test_row_has_the_probabilities_of_the_run(
    page: Page, small_run_result: csvision.TrainResult, tmp_path: Path
) -> None:
    evaluation = small_run_result.evaluation
    table, classes = evaluation.subset.table, evaluation.subset.table.classes
    position = int(evaluation.probabilities.max(axis=1).argmax())
    Image.fromarray(table.images[evaluation.subset.indices[position]][0]).save(tmp_path / "row.png")
    page.set_input_files("#file", tmp_path / "row.png")
    expected = evaluation.probabilities[position]
    text = f"{classes[int(expected.argmax())]}: {100 * expected.max():.1f} %"
    page.get_by_text(text, exact=True).wait_for()
    shown = page.locator("#probabilities li span:last-child").all_inner_texts()
    found = [float(value.removesuffix(" %")) for value in shown]
    np.testing.assert_allclose(found, 100 * expected, atol=0.051)


def test_drawing_changes_the_prediction_and_clear_restores_it(page: Page) -> None:
    first = page.locator("#layers img").first
    before = first.get_attribute("src") or ""
    empty = page.locator("#prediction").inner_text()
    box = page.locator("canvas").bounding_box()
    assert box is not None
    x, y, side = box["x"], box["y"], box["width"]
    page.mouse.move(x + 0.5 * side, y + 0.2 * side)
    page.mouse.down()
    page.mouse.move(x + 0.5 * side, y + 0.8 * side, steps=5)
    page.mouse.up()
    expect(first).not_to_have_attribute("src", before)
    page.get_by_role("button", name="Clear").click()
    expect(first).to_have_attribute("src", before)
    expect(page.locator("#prediction")).to_have_text(empty)


def test_invert_gives_a_white_image(page: Page) -> None:
    page.get_by_role("button", name="Invert").click()
    values = page.evaluate("[...context.getImageData(0, 0, 8, 8).data]")
    assert set(values) == {255}


def test_file_that_is_no_image_is_reported(page: Page, tmp_path: Path) -> None:
    (tmp_path / "text.png").write_text("no image", encoding="utf-8")
    page.set_input_files("#file", tmp_path / "text.png")
    page.get_by_text("text.png is not an image").wait_for()


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("scheme", SCHEMES)
def test_page_has_no_overflow_low_contrast_or_errors(
    browser: Browser, address: str, width: int, scheme: Scheme
) -> None:
    page = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
    errors: list[str] = []
    page.on("console", lambda message: errors.append(message.text))
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(address)
    page.wait_for_selector("#layers img")
    assert overflow(page) == []
    assert low_contrast(page) == []
    assert errors == []
    # A gray image has no color.
    assert not page.locator("#color").is_visible()
    assert page.locator("#grad-cam img").is_visible()
    page.close()

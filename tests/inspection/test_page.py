"""The page of an inspection in a browser."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from csvision.inspection.drawings import draw_inspection
from csvision.inspection.format import gap_interval
from csvision.inspection.mistakes import describe_prediction
from csvision.inspection.page import render_page
from csvision.inspection.result import Inspection
from csvision.inspection.shifts import ChangedPrediction, Shifts
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


def test_links_have_the_titles_of_their_sections(
    browser: Browser, small_inspection: Inspection
) -> None:
    with open_page(browser, small_inspection.directory / "index.html") as visit:
        page = visit.page
        titles = {f"#{name}": page.locator(f"#{name}-title").inner_text() for name in SECTIONS}
        pairs = "(all) => all.map((one) => [one.getAttribute('href'), one.innerText])"
        contents = page.locator("nav a").evaluate_all(pairs)
        assert contents == [[href, title] for href, title in titles.items()]
        for href, text in page.locator(".answers a").evaluate_all(pairs):
            assert text == titles[href]
        # The list of sections is visible without scrolling.
        box = page.locator("nav").bounding_box()
        assert box is not None
        assert box["y"] + box["height"] < 400


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
        ("mistakes", lambda found: f"row {found.largest_loss.row}: {found.largest_loss.loss:.2f}"),
        ("confidence", lambda found: f"minus the accuracy is {gap_interval(found.calibration)}"),
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


def test_confusion_matrix_has_the_counts_of_the_test(
    browser: Browser, small_inspection: Inspection
) -> None:
    with open_page(browser, small_inspection.directory / "index.html") as visit:
        rows = visit.page.locator(".matrix tbody tr")
        texts = rows.evaluate_all(
            "(all) => all.map((row) => [...row.querySelectorAll('td')].map((c) => c.innerText))"
        )
        counts = [[int(text) for text in row] for row in texts]
        assert counts == small_inspection.evaluation.confusion_matrix.tolist()
        names = rows.locator("th").all_inner_texts()
        assert names == small_inspection.evaluation.subset.table.classes


BROKEN_NUMBERS = """
() => {
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const broken = [];
  while (walker.nextNode()) {
    const node = walker.currentNode;
    const parent = node.parentElement;
    if (!parent.checkVisibility() || parent.closest("svg, .facts")) continue;
    for (const match of node.data.matchAll(/[-\u2212+]?\\d[\\d.,]*(e[-\u2212+]?\\d+)?/g)) {
      const range = document.createRange();
      range.setStart(node, match.index);
      range.setEnd(node, match.index + match[0].length);
      const lines = new Set([...range.getClientRects()].map((box) => Math.round(box.top)));
      if (lines.size > 1) broken.push(match[0]);
    }
  }
  return broken;
}
"""


@pytest.fixture(scope="session")
def odd_page(color_inspection: Inspection, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A page of images of a folder, with tiny probabilities and a loss that is not shown first."""
    evaluation = color_inspection.evaluation
    subset = evaluation.subset
    names = [f"red/{row}.png" for row in range(len(subset.table.images))]
    table = replace(subset.table, ids=names)
    evaluation = replace(evaluation, subset=replace(subset, table=table))
    shown = describe_prediction(evaluation, 0)
    # The digits end at many places of the line.
    mistakes = [
        replace(shown, label="l" * length, p_label=5.9e-9, prediction="p" * length)
        for length in range(1, 24)
    ]
    shifts = color_inspection.shifts
    assert isinstance(shifts, Shifts)
    example = ChangedPrediction(0, "left", 1, "red", "blue", 0.9)
    found = replace(
        color_inspection,
        evaluation=evaluation,
        mistakes=mistakes,
        largest_loss=replace(shown, loss=18.95),
        shifts=replace(shifts, examples=[example]),
    )
    path = tmp_path_factory.mktemp("odd") / "index.html"
    path.write_text(render_page(found, draw_inspection(found), {}, images=True), encoding="utf-8")
    return path


@pytest.mark.parametrize("width", WIDTHS)
def test_no_line_ends_within_a_number(browser: Browser, odd_page: Path, width: int) -> None:
    assert page_problems(browser, odd_page, width, "light") == []
    with open_page(browser, odd_page, width) as visit:
        assert "5.9e\u221209" in visit.page.locator("#mistakes").inner_text()
        assert visit.page.evaluate(BROKEN_NUMBERS) == []


def test_images_of_a_folder_have_their_names_in_all_captions(
    browser: Browser, odd_page: Path, color_inspection: Inspection
) -> None:
    row = int(color_inspection.evaluation.subset.indices[0])
    with open_page(browser, odd_page) as visit:
        assert "A row is an image of the folder" in visit.page.locator("header").inner_text()
        captions = visit.page.locator("#shifts .gallery figcaption").all_inner_texts()
        assert [text.lower().startswith(f"row {row} (red/{row}.png)") for text in captions] == [
            True
        ]


def test_largest_loss_is_shown_after_the_most_confident_mistakes(
    browser: Browser, odd_page: Path, small_inspection: Inspection
) -> None:
    with open_page(browser, odd_page) as visit:
        assert "loss 18.95" in visit.page.locator("#mistakes figcaption").last.inner_text()
        assert visit.page.locator("#mistakes h3").all_inner_texts() == ["Largest loss"]
    assert small_inspection.largest_loss in small_inspection.mistakes
    with open_page(browser, small_inspection.directory / "index.html") as visit:
        assert visit.page.locator("#mistakes h3").count() == 0


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
        for section in ("layers", "classes", "confidence", "shifts"):
            region = visit.page.locator(f"#{section} .scroll").first
            table = region.locator("table").bounding_box()
            frame = region.bounding_box()
            assert table is not None
            assert frame is not None
            assert table["x"] + table["width"] <= frame["x"] + frame["width"]

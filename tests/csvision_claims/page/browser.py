"""A real browser, and what can be wrong with a page in it; each check gives what it found."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]

Scheme = Literal["light", "dark"]

SCHEMES: tuple[Scheme, ...] = ("light", "dark")

WIDTHS = (400, 1400)
"""Pixels of a phone and of a desk."""

EMPTY_BOXES = """
() => [...document.querySelectorAll("svg, img")]
  .filter((node) => node.getBoundingClientRect().width * node.getBoundingClientRect().height === 0)
  .map((node) => node.getAttribute("aria-label") ?? node.outerHTML.slice(0, 80))
"""

OVERFLOW = """
() => {
  const root = document.documentElement;
  return root.scrollWidth <= root.clientWidth ? [] : [`${root.scrollWidth} > ${root.clientWidth}`];
}
"""

WEAK_TEXT = """
(least) => {
  const parts = (colour) => colour.match(/[0-9.]+/g).map(Number);
  const luminance = (colour) => {
    const [red, green, blue] = parts(colour).map((value) => {
      const part = value / 255;
      return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  };
  const ground = (node) => {
    for (; node; node = node.parentElement) {
      const colour = getComputedStyle(node).backgroundColor;
      if (parts(colour)[3] !== 0) return colour;
    }
    return "rgb(255, 255, 255)";
  };
  const written = (node) =>
    [...node.childNodes].some((child) => child.nodeType === 3 && child.data.trim());
  const found = [];
  for (const node of document.querySelectorAll("body, body *")) {
    // The ground of values in the cells of a map is a picture.
    const picture = node.closest("svg");
    if (!written(node) || node.tagName === "SCRIPT" || (picture && node.style.fill[0] === "r"))
      continue;
    const style = getComputedStyle(node);
    const [one, two] = [picture ? style.fill : style.color, ground(node)].map(luminance);
    const ratio = (Math.max(one, two) + 0.05) / (Math.min(one, two) + 0.05);
    if (!(ratio >= least)) found.push(`${ratio.toFixed(2)}: ${node.textContent.slice(0, 40)}`);
  }
  return found;
}
"""


@dataclass
class Visit:
    """An open page with what it complained of and asked for."""

    page: Page
    complaints: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)


def chromium() -> str:
    """Debian's browser; without it a test is skipped, but fails where everything must be tested."""
    found = shutil.which("chromium")
    if found:
        return found
    if os.environ.get("CI"):
        pytest.fail("there is no chromium, and CI is set")
    pytest.skip("there is no chromium: apt-get install chromium")


@contextmanager
def launched() -> Iterator[Browser]:
    """A browser that asks nothing of the network by itself."""
    executable = chromium()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=ARGUMENTS)
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def visited(
    browser: Browser, path: Path, width: int = 1400, scheme: Scheme = "light", **options: Any
) -> Iterator[Visit]:
    """A file in a window of its own."""
    page = browser.new_page(
        viewport={"width": width, "height": 900}, color_scheme=scheme, **options
    )
    visit = Visit(page)
    page.on(
        "console",
        lambda message: visit.complaints.append(message.text) if message.type == "error" else None,
    )
    page.on("pageerror", lambda error: visit.complaints.append(str(error)))
    page.on("request", lambda request: visit.requests.append(request.url))
    try:
        page.goto(path.as_uri(), wait_until="load")
        yield visit
    finally:
        page.close()


def other_requests(visit: Visit, path: Path) -> list[str]:
    """What was asked for besides the file itself and what it holds."""
    return [url for url in visit.requests if url != path.as_uri() and not url.startswith("data:")]


def empty_boxes(page: Page) -> list[str]:
    """Pictures that take no room."""
    return list(page.evaluate(EMPTY_BOXES))


def overflow(page: Page) -> list[str]:
    """Whether the page as a whole must be moved sideways to be read."""
    return list(page.evaluate(OVERFLOW))


def weak_text(page: Page, least: float = 4.5) -> list[str]:
    """Texts that do not stand out from their ground."""
    return list(page.evaluate(WEAK_TEXT, least))


def column(page: Page, place: int) -> list[str]:
    """The texts of a column of the summary, from the top."""
    cells = page.locator(f"table.sortable tbody tr > :nth-child({place})")
    return [text.strip() for text in cells.all_inner_texts()]

"""Chromium, and checks of a page in it; each check returns a list of problems."""

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
"""Viewport widths in pixels: a phone and a desktop screen."""

ZERO_SIZE_PICTURES = """
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

LOW_CONTRAST = """
(least) => {
  const parts = (color) => color.match(/[0-9.]+/g).map(Number);
  const luminance = (color) => {
    const [red, green, blue] = parts(color).map((value) => {
      const part = value / 255;
      return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  };
  const background = (node) => {
    for (; node; node = node.parentElement) {
      const color = getComputedStyle(node).backgroundColor;
      if (parts(color)[3] !== 0) return color;
    }
    return "rgb(255, 255, 255)";
  };
  const hasText = (node) =>
    [...node.childNodes].some((child) => child.nodeType === 3 && child.data.trim());
  const found = [];
  for (const node of document.querySelectorAll("body, body *")) {
    // The background of values in heat map cells is a picture.
    const picture = node.closest("svg");
    if (!hasText(node) || node.tagName === "SCRIPT" || (picture && node.style.fill[0] === "r"))
      continue;
    const style = getComputedStyle(node);
    const [one, two] = [picture ? style.fill : style.color, background(node)].map(luminance);
    const ratio = (Math.max(one, two) + 0.05) / (Math.min(one, two) + 0.05);
    if (!(ratio >= least)) found.push(`${ratio.toFixed(2)}: ${node.textContent.slice(0, 40)}`);
  }
  return found;
}
"""


@dataclass
class Visit:
    """An open page, its console errors and the URLs that it requested."""

    page: Page
    errors: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)


def find_chromium() -> str:
    """Return the path of Chromium; without it, skip the test, or fail it if CI is set."""
    found = shutil.which("chromium")
    if found:
        return found
    if os.environ.get("CI"):
        pytest.fail("chromium is not installed, and CI is set")
    pytest.skip("chromium is not installed; run apt-get install chromium")


@contextmanager
def launch_chromium() -> Iterator[Browser]:
    """Launch a browser that sends no network requests of its own."""
    executable = find_chromium()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=ARGUMENTS)
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def open_page(
    browser: Browser, path: Path, width: int = 1400, scheme: Scheme = "light", **options: Any
) -> Iterator[Visit]:
    """Open a file in a new window."""
    page = browser.new_page(
        viewport={"width": width, "height": 900}, color_scheme=scheme, **options
    )
    visit = Visit(page)
    page.on(
        "console",
        lambda message: visit.errors.append(message.text) if message.type == "error" else None,
    )
    page.on("pageerror", lambda error: visit.errors.append(str(error)))
    page.on("request", lambda request: visit.requests.append(request.url))
    try:
        page.goto(path.as_uri(), wait_until="load")
        yield visit
    finally:
        page.close()


def other_requests(visit: Visit, path: Path) -> list[str]:
    """Return requested URLs other than the file itself and its embedded data."""
    return [url for url in visit.requests if url != path.as_uri() and not url.startswith("data:")]


def zero_size_pictures(page: Page) -> list[str]:
    """Return pictures with zero width or height."""
    return list(page.evaluate(ZERO_SIZE_PICTURES))


def overflow(page: Page) -> list[str]:
    """Return the widths of page and window if the page needs horizontal scrolling."""
    return list(page.evaluate(OVERFLOW))


def low_contrast(page: Page, least: float = 4.5) -> list[str]:
    """Return texts whose contrast with their background is below `least`."""
    return list(page.evaluate(LOW_CONTRAST, least))


def page_problems(browser: Browser, path: Path, width: int, scheme: Scheme) -> list[str]:
    """Return everything that the checks above find in a page at a width and in a color scheme.

    The texts of closed <details> elements are checked, too.
    """
    with open_page(browser, path, width, scheme) as visit:
        page = visit.page
        page.evaluate("document.querySelectorAll('details').forEach((node) => node.open = true)")
        found = {
            "heading": [] if page.locator("h1").is_visible() else ["not visible"],
            "picture without size": zero_size_pictures(page),
            "overflow": overflow(page),
            "low contrast": low_contrast(page),
        }
    found |= {"error": visit.errors, "request": other_requests(visit, path)}
    return [f"{name}: {problem}" for name, problems in found.items() for problem in problems]


def column(page: Page, index: int) -> list[str]:
    """Return the texts of a column of the summary, from the top."""
    cells = page.locator(f"table.sortable tbody tr > :nth-child({index})")
    return [text.strip() for text in cells.all_inner_texts()]

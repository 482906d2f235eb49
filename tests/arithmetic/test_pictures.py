"""The pictures in a browser: self-contained, legible, and nothing outside of them."""

from pathlib import Path

import pytest
from playwright.sync_api import Browser

import csvision
from tests.browser import (
    open_page,
    other_requests,
    zero_size_pictures,
)

OUTSIDE = """
() => {
  const frame = document.querySelector("svg").getBoundingClientRect();
  return [...document.querySelectorAll("svg *")]
    .filter((node) => node.getBoundingClientRect)
    .map((node) => [node, node.getBoundingClientRect()])
    .filter(([, box]) => box.right > frame.right || box.bottom > frame.bottom || box.left < 0)
    .map(([node]) => node.outerHTML.slice(0, 80));
}
"""

LOW_CONTRAST = """
() => {
  const luminance = (color) => {
    const [red, green, blue] = color.match(/[0-9.]+/g).map((value) => {
      const part = Number(value) / 255;
      return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  };
  const found = [];
  for (const node of document.querySelectorAll("svg text")) {
    node.scrollIntoView();
    const box = node.getBoundingClientRect();
    const stack = document.elementsFromPoint(box.x + box.width / 2, box.y + box.height / 2);
    const behind = stack.find((other) => other.tagName === "rect");
    const colors = [node, behind].map((other) => luminance(getComputedStyle(other).fill));
    const ratio = (Math.max(...colors) + 0.05) / (Math.min(...colors) + 0.05);
    if (!(ratio >= 4.5)) found.push(`${ratio.toFixed(2)}: ${node.textContent}`);
  }
  return found;
}
"""
"""Texts whose contrast with the rectangle behind them is below that of WCAG 2.1 AA."""

PICTURES = {
    "cnn": ("data.image_shape=[3,32,20]", "batch_size=256"),
    "deep": ("model.stages=[{normalization:batch,residual:1},{stride:3,dilation:2}]",),
    "wide": ("model=mlp", "model.hidden=[1000000]"),
    "filter": ("row=3",),
    "padding": ("row=3", "layer=stages.1.convolution", "position=[0,0]"),
    "large kernel": ("row=3", "model.stages=[{kernel_size:9}]"),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", PICTURES)
def test_picture_is_complete_and_legible(name: str, browser: Browser, tmp_path: Path) -> None:
    svg = csvision.explain(*PICTURES[name]).to_svg()
    path = tmp_path / "picture.html"
    path.write_text(f"<body style='margin:0'>{svg}", encoding="utf-8")
    with open_page(browser, path) as visit:
        assert visit.errors == []
        assert other_requests(visit, path) == []
        assert zero_size_pictures(visit.page) == []
        assert visit.page.evaluate(LOW_CONTRAST) == []
        assert visit.page.evaluate(OUTSIDE) == []


def test_notebooks_show_the_picture() -> None:
    explanation = csvision.explain("model=mlp")
    assert explanation._repr_svg_() == explanation.to_svg()
    assert str(explanation) == explanation.to_text()

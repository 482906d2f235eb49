"""Convert matplotlib figures to <svg> elements inside a page."""

import re
import warnings
from collections.abc import Callable, Mapping
from io import StringIO
from xml.etree import ElementTree

from matplotlib import style
from matplotlib.figure import Figure

from csvision.page.colors import CSS_VALUES, FOREGROUND

WIDTH = 4.0
"""Inches: the width of a phone, so that charts and their text are not scaled down there."""

STYLE = {
    "svg.fonttype": "none",
    "svg.hashsalt": "csvision",
    "text.parse_math": False,
    "image.composite_image": False,
    "font.size": 9.0,
    "text.color": FOREGROUND,
    "axes.labelcolor": FOREGROUND,
    "axes.edgecolor": FOREGROUND,
    "axes.titlesize": 9.0,
    "axes.linewidth": 0.6,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "xtick.color": FOREGROUND,
    "ytick.color": FOREGROUND,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "grid.color": FOREGROUND,
    "grid.alpha": 0.15,
    "grid.linewidth": 0.6,
    "legend.frameon": False,
    "figure.constrained_layout.use": True,
}

NO_METADATA = dict.fromkeys(("Date", "Creator", "Format", "Type"))
"""Without metadata the same figure always gives the same text."""

SVG = "{http://www.w3.org/2000/svg}"
LINK = "{http://www.w3.org/1999/xlink}href"


def render_svg(
    draw: Callable[[], Figure],
    prefix: str,
    alt: str,
    css_values: Mapping[str, str] = CSS_VALUES,
) -> str:
    """Return the figure that `draw` creates as SVG; `prefix` makes its ids unique on the page.

    `css_values` has the CSS value that replaces each color.
    """
    file = StringIO()
    with style.context(["default", STYLE]), warnings.catch_warnings():
        # The browser has fonts for these characters; matplotlib only computes the layout.
        warnings.filterwarnings("ignore", "Glyph .* missing from font")
        draw().savefig(file, format="svg", transparent=True, metadata=NO_METADATA)
    root = ElementTree.fromstring(file.getvalue())
    for parent in list(root.iter()):
        for child in list(parent):
            if child.tag == f"{SVG}style":
                parent.remove(child)
    for element in root.iter():
        adapt_element(element, prefix, css_values)
    for side in ("width", "height"):
        # matplotlib writes points, 72 per inch; CSS has 96 pixels per inch.
        root.set(side, f"{float(root.attrib[side].removesuffix('pt')) * 96 / 72:.0f}")
    root.set("role", "img")
    root.set("aria-label", alt)
    text = ElementTree.tostring(root, encoding="unicode")
    return re.sub(r">\s+<", "><", text)


def adapt_element(element: ElementTree.Element, prefix: str, css_values: Mapping[str, str]) -> None:
    """Make ids unique, and replace colors and fonts by those of the page."""
    element.tag = element.tag.removeprefix(SVG)
    attributes = element.attrib
    # Nothing refers to the ids of groups and images.
    if element.tag in ("g", "image"):
        attributes.pop("id", None)
    if "id" in attributes:
        attributes["id"] = f"{prefix}-{attributes['id']}"
    if LINK in attributes:
        link = attributes.pop(LINK)
        attributes["href"] = f"#{prefix}-{link[1:]}" if link.startswith("#") else join_lines(link)
    if "clip-path" in attributes:
        attributes["clip-path"] = attributes["clip-path"].replace("#", f"#{prefix}-")
    if "style" in attributes:
        attributes["style"] = adapt_style(attributes["style"], css_values)
    for key in ("d", "x", "y"):
        if key in attributes:
            attributes[key] = round_coordinates(attributes[key])
    if attributes.get("transform", "").startswith("rotate(-0 "):
        del attributes["transform"]


def adapt_style(declarations: str, css_values: Mapping[str, str]) -> str:
    """Return CSS declarations with the colors of the page and without a font family."""
    kept = [part for part in declarations.split("; ") if not part.startswith("font-family")]
    return re.sub(r"#[0-9a-f]{6}", lambda match: css_values.get(match[0], match[0]), ";".join(kept))


def round_coordinates(numbers: str) -> str:
    """Round coordinates to a hundredth of a point and join their lines."""
    shorter = re.sub(r"-?\d+\.\d{3,}", lambda match: f"{float(match[0]):.2f}", numbers)
    return " ".join(shorter.split())


def join_lines(data: str) -> str:
    """Return base64 data without line breaks."""
    return re.sub(r"\s", "", data)

"""A matplotlib figure as an <svg> element for the middle of a page."""

import re
import warnings
from collections.abc import Callable
from io import StringIO
from xml.etree import ElementTree

from matplotlib import style
from matplotlib.figure import Figure

from csvision.report.claims.colours import INK, VARIABLES

WIDTH = 4.0
"""Inches: as wide as a phone, so that text is never made smaller there than it was drawn."""

STYLE = {
    "svg.fonttype": "none",
    "svg.hashsalt": "csvision",
    "text.parse_math": False,
    "image.composite_image": False,
    "font.size": 9.0,
    "text.color": INK,
    "axes.labelcolor": INK,
    "axes.edgecolor": INK,
    "axes.titlesize": 9.0,
    "axes.linewidth": 0.6,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "xtick.color": INK,
    "ytick.color": INK,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "grid.color": INK,
    "grid.alpha": 0.15,
    "grid.linewidth": 0.6,
    "legend.frameon": False,
    "figure.constrained_layout.use": True,
}

NOTHING_ELSE = dict.fromkeys(("Date", "Creator", "Format", "Type"))
"""No word about the file, so that the same figure is the same text on every day."""

SVG = "{http://www.w3.org/2000/svg}"
LINK = "{http://www.w3.org/1999/xlink}href"


def svg_of(draw: Callable[[], Figure], name: str, alt: str) -> str:
    """What `draw` draws, as SVG; `name` sets its ids apart from those of others on the page."""
    file = StringIO()
    with style.context(["default", STYLE]), warnings.catch_warnings():
        # The browser has fonts for what matplotlib's lacks; only the layout is by matplotlib's.
        warnings.filterwarnings("ignore", "Glyph .* missing from font")
        draw().savefig(file, format="svg", transparent=True, metadata=NOTHING_ELSE)
    root = ElementTree.fromstring(file.getvalue())
    for parent in list(root.iter()):
        for child in list(parent):
            if child.tag == f"{SVG}style":
                parent.remove(child)
    for element in root.iter():
        fit_into_page(element, name)
    for side in ("width", "height"):
        # Points on paper; pixels of a page are 96 to the inch, not 72.
        root.set(side, f"{float(root.attrib[side].removesuffix('pt')) * 96 / 72:.0f}")
    root.set("role", "img")
    root.set("aria-label", alt)
    text = ElementTree.tostring(root, encoding="unicode")
    return re.sub(r">\s+<", "><", text)


def fit_into_page(element: ElementTree.Element, name: str) -> None:
    """Take names, colours and fonts of an element from the page."""
    element.tag = element.tag.removeprefix(SVG)
    attributes = element.attrib
    # Groups have ids too, to which nothing refers.
    if element.tag in ("g", "image"):
        attributes.pop("id", None)
    if "id" in attributes:
        attributes["id"] = f"{name}-{attributes['id']}"
    if LINK in attributes:
        link = attributes.pop(LINK)
        attributes["href"] = f"#{name}-{link[1:]}" if link.startswith("#") else unbroken(link)
    if "clip-path" in attributes:
        attributes["clip-path"] = attributes["clip-path"].replace("#", f"#{name}-")
    if "style" in attributes:
        attributes["style"] = page_style(attributes["style"])
    for key in ("d", "x", "y"):
        if key in attributes:
            attributes[key] = rounded(attributes[key])
    if attributes.get("transform", "").startswith("rotate(-0 "):
        del attributes["transform"]


def page_style(declarations: str) -> str:
    """Colours as variables of the page, and its font instead of matplotlib's."""
    kept = [part for part in declarations.split("; ") if not part.startswith("font-family")]
    return re.sub(r"#[0-9a-f]{6}", lambda match: VARIABLES.get(match[0], match[0]), ";".join(kept))


def rounded(numbers: str) -> str:
    """Coordinates to a hundredth of a point, on one line."""
    shorter = re.sub(r"-?\d+\.\d{3,}", lambda match: f"{float(match[0]):.2f}", numbers)
    return " ".join(shorter.split())


def unbroken(data: str) -> str:
    """An address without the line breaks that base64 brings."""
    return re.sub(r"\s", "", data)

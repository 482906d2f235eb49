"""Write SVG as text: one self-contained picture without scripts, styles or fonts of its own."""

from collections.abc import Iterable
from xml.sax.saxutils import escape, quoteattr

FONT = "font-family=\"system-ui, 'DejaVu Sans', Arial, sans-serif\""

TEXT = "#1f2328"
FAINT = "#59636e"
LINE = "#8c959f"
BLUE = "#0969da"
RED = "#cf222e"
LIGHT = "#ddf4ff"


def picture(width: float, height: float, title: str, elements: Iterable[str]) -> str:
    """Return a picture with a white background; `title` describes it to screen readers."""
    size = f'width="{width:g}" height="{height:g}" viewBox="0 0 {width:g} {height:g}"'
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img" {FONT} font-size="12">',
            f"<title>{escape(title)}</title>",
            rectangle(0, 0, width, height, "#ffffff", border=None),
            *elements,
            "</svg>\n",
        ]
    )


def text(
    x: float,
    y: float,
    content: str,
    color: str = TEXT,
    size: float = 12,
    anchor: str = "start",
    bold: bool = False,
) -> str:
    """Return a line of text; (x, y) is the start, middle or end of its baseline."""
    weight = ' font-weight="600"' if bold else ""
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" fill="{color}" font-size="{size:g}" '
        f'text-anchor="{anchor}"{weight}>{escape(content)}</text>'
    )


def rectangle(
    x: float,
    y: float,
    width: float,
    height: float,
    fill: str,
    border: str | None = LINE,
    border_width: float = 1,
    label: str = "",
) -> str:
    """Return a rectangle; `label` is shown by browsers when the mouse points at it."""
    stroke = f' stroke="{border}" stroke-width="{border_width:g}"' if border else ""
    shape = (
        f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" '
        f"fill={quoteattr(fill)}{stroke}"
    )
    return f"{shape}><title>{escape(label)}</title></rect>" if label else f"{shape}/>"


def line(x1: float, y1: float, x2: float, y2: float, color: str = LINE, width: float = 1) -> str:
    """Return a straight line."""
    return (
        f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{color}" '
        f'stroke-width="{width:g}"/>'
    )


def arrow_down(x: float, y: float, length: float) -> list[str]:
    """Return an arrow that starts at (x, y)."""
    tip = y + length
    head = f"{x - 4:.1f},{tip - 6:.1f} {x + 4:.1f},{tip - 6:.1f} {x:.1f},{tip:.1f}"
    return [line(x, y, x, tip - 6), f'<polygon points="{head}" fill="{LINE}"/>']

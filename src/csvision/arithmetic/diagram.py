"""Draw the layers of a network: maps and vectors from top to bottom, with their numbers."""

from collections.abc import Callable, Iterator
from math import log2

from csvision.arithmetic.layers import LayerExplanation, NetworkExplanation
from csvision.arithmetic.svg import (
    BLUE,
    FAINT,
    LIGHT,
    TEXT,
    arrow_down,
    picture,
    rectangle,
    text,
)
from csvision.arithmetic.text import format_field, format_shape, format_size
from csvision.layer_shapes import Shape

WIDTH = 1000
TOP = 78
ROW = 108
BLOCK_CENTER = 110
TEXT_LEFT = 230
BAR_LEFT = 640
BAR_WIDTH = 150
MAX_SIDE = 64
MIN_SIDE = 8
SHEETS = 4
"""Sheets drawn at most for the channels of a map."""

BARS: tuple[tuple[str, Callable[[LayerExplanation], int], Callable[[int], str]], ...] = (
    ("parameters", lambda layer: layer.parameters, "{:,}".format),
    ("multiply-adds", lambda layer: layer.multiply_adds, "{:,}".format),
    ("kept", lambda layer: layer.kept_bytes or 0, format_size),
)
"""Name, value and format of each bar of a layer."""


def draw_network(network: NetworkExplanation) -> str:
    """Return the picture of a network as SVG."""
    height = TOP + ROW * (len(network.layers) + 1) + 24
    title = f"{network.model} on images of {format_shape(network.image_shape)}"
    return picture(WIDTH, height, title, draw_elements(network, title))


def draw_elements(network: NetworkExplanation, title: str) -> Iterator[str]:
    """Yield the elements of the picture."""
    yield text(24, 30, title, size=18, bold=True)
    kept = "" if network.kept_bytes is None else f", {format_size(network.kept_bytes)} kept"
    yield text(
        24,
        50,
        f"{network.parameters:,} parameters, {network.multiply_adds:,} multiply-adds for one "
        f"image{kept} for the backward pass of {network.batch_size:,} images",
        FAINT,
    )
    scale = MAX_SIDE / max(side for shape in shapes_of(network) for side in shape[1:] or (1,))
    yield from draw_block(network.image_shape, TOP, scale)
    yield text(TEXT_LEFT, TOP + 34, "image", bold=True)
    yield text(TEXT_LEFT, TOP + 52, format_shape(network.image_shape))
    largest = [max(1, *(value(layer) for layer in network.layers)) for _, value, _ in BARS]
    for index, layer in enumerate(network.layers, start=1):
        top = TOP + ROW * index
        yield from arrow_down(BLOCK_CENTER, top - 18, 16)
        yield from draw_block(layer.output_shape, top, scale)
        yield from draw_words(layer, top)
        yield from draw_bars(layer, top, largest)


def shapes_of(network: NetworkExplanation) -> Iterator[Shape]:
    """Yield the shape of the images and of the output of each layer."""
    yield network.image_shape
    yield from (layer.output_shape for layer in network.layers)


def draw_block(shape: Shape, top: float, scale: float) -> Iterator[str]:
    """Yield maps as sheets, one behind the other, and a vector as a bar."""
    middle = top + ROW / 2 - 12
    label = format_shape(shape)
    if len(shape) != 3:
        width = min(200.0, MIN_SIDE + 14 * log2(1 + (shape[0] if shape else 0)))
        yield rectangle(BLOCK_CENTER - width / 2, middle - 5, width, 10, LIGHT, BLUE, label=label)
        return
    channels, height, width = shape
    across, down = (max(MIN_SIDE, side * scale) for side in (width, height))
    sheets = min(SHEETS, channels)
    for sheet in reversed(range(sheets)):
        shift = 5 * sheet - 5 * (sheets - 1) / 2
        left, upper = BLOCK_CENTER - across / 2 + shift, middle - down / 2 - shift
        yield rectangle(left, upper, across, down, LIGHT, BLUE, label=label)


def draw_words(layer: LayerExplanation, top: float) -> Iterator[str]:
    """Yield name, shape and formulas of a layer."""
    yield text(TEXT_LEFT, top + 14, layer.name, bold=True)
    facts = [f"{format_shape(layer.input_shape)} to {format_shape(layer.output_shape)}"]
    if layer.output_formula:
        facts += [f"size: {formula}" for formula in layer.output_formula.split(", ")]
    if layer.parameter_formula:
        facts.append(f"parameters: {layer.parameter_formula}")
    seen = f"receptive field: {format_field(layer)}"
    if layer.corner_uses is not None:
        seen += f"; uses of a corner: {layer.corner_uses:,}, of the center: {layer.center_uses:,}"
    for number, fact in enumerate([*facts, seen]):
        yield text(TEXT_LEFT, top + 31 + 15.5 * number, fact, FAINT if number else TEXT, 11.5)


def draw_bars(layer: LayerExplanation, top: float, largest: list[int]) -> Iterator[str]:
    """Yield a bar for each number of a layer, relative to that of the largest layer."""
    for number, ((name, value, form), most) in enumerate(zip(BARS, largest, strict=True)):
        y = top + 10 + 24 * number
        width = BAR_WIDTH * value(layer) / most
        yield text(BAR_LEFT + 76, y + 9, name, FAINT, 11, anchor="end")
        yield rectangle(BAR_LEFT + 84, y, max(width, 0.5), 11, BLUE, border=None)
        shown = "" if name == "kept" and layer.kept_bytes is None else form(value(layer))
        yield text(BAR_LEFT + 90 + width, y + 9.5, shown, size=11)

"""Draw one filter at one position: the window on the input, the products, and the output map."""

import base64
from collections.abc import Iterator
from io import BytesIO

from csvision.arithmetic.filter_step import ChannelStep, FilterExplanation, Grid, Position
from csvision.arithmetic.filter_text import number_text, sum_lines, title, window_sentence
from csvision.arithmetic.svg import BLUE, FAINT, RED, line, picture, rectangle, text

WIDTH = 1000
MARGIN = 24
MAP_TOP = 110
MAP_SIDE = 260
OUTPUT_LEFT = 480
MAX_CELL = 46
GRID_SIDE = 276
"""The largest side of a grid of numbers."""

LEGIBLE_CELL = 34
"""Smaller cells have a color and no number."""

GAP = 34


def draw_filter(step: FilterExplanation) -> str:
    """Return the picture of a filter as SVG."""
    height = channels_top() + len(step.channels) * channel_height(step) + 74
    return picture(WIDTH, height, title(step), draw_elements(step))


def channels_top() -> float:
    """Return where the channels start."""
    return MAP_TOP + MAP_SIDE + 46


def draw_elements(step: FilterExplanation) -> Iterator[str]:
    """Yield the elements of the picture."""
    yield text(MARGIN, 32, title(step), size=17, bold=True)
    yield text(MARGIN, 54, window_sentence(step), FAINT)
    yield from draw_input(step)
    yield from draw_output(step)
    top = channels_top()
    for channel in step.channels:
        yield from draw_channel(channel, top)
        top += channel_height(step)
    for number, sentence in enumerate(sum_lines(step)):
        yield text(MARGIN, top + 20 + 24 * number, sentence, size=14, bold=number == 0)


def draw_input(step: FilterExplanation) -> Iterator[str]:
    """Yield the first shown channel of the input with the windows of this and the next position."""
    cell = cell_side(step.input_map, padding=step.span)
    left, top = MARGIN + cell * step.span[1], MAP_TOP + cell * step.span[0]
    yield text(MARGIN, MAP_TOP - 12, f"input, channel {step.channels[0].channel}", bold=True)
    yield draw_map(step.input_map, left, top, cell)
    if step.next_position is not None:
        moved = tuple(
            start + (after - now) * stride
            for start, now, after, stride in zip(
                step.origin, step.position, step.next_position, step.stride, strict=True
            )
        )
        yield draw_frame((moved[0], moved[1]), step.span, left, top, cell, BLUE)
    yield draw_frame(step.origin, step.span, left, top, cell, RED)


def draw_output(step: FilterExplanation) -> Iterator[str]:
    """Yield all outputs of the filter, with this and the next position."""
    cell = cell_side(step.output_map)
    yield text(OUTPUT_LEFT, MAP_TOP - 12, f"output of filter {step.filter}", bold=True)
    yield draw_map(step.output_map, OUTPUT_LEFT, MAP_TOP, cell)
    if step.next_position is not None:
        yield draw_frame(step.next_position, (1, 1), OUTPUT_LEFT, MAP_TOP, cell, BLUE)
    yield draw_frame(step.position, (1, 1), OUTPUT_LEFT, MAP_TOP, cell, RED)
    beside = OUTPUT_LEFT + MAP_SIDE + 20
    yield rectangle(beside, MAP_TOP, 14, 14, "none", RED, 2)
    yield text(beside + 22, MAP_TOP + 11, f"{list(step.position)}: {number_text(step.output)}")
    if step.next_position is not None and step.next_output is not None:
        yield rectangle(beside, MAP_TOP + 24, 14, 14, "none", BLUE, 2)
        after = f"next, {list(step.next_position)}: {number_text(step.next_output)}"
        yield text(beside + 22, MAP_TOP + 35, after)
    low, high = (number_text(extreme(step.output_map, sign)) for sign in (-1, 1))
    yield text(beside, MAP_TOP + 68, f"black is {low}, white is {high}", FAINT)


def cell_side(grid: Grid, padding: Position = (0, 0)) -> float:
    """Return the side of a pixel, so that a map, with space around it, fits into its square."""
    sides = len(grid) + 2 * padding[0], len(grid[0]) + 2 * padding[1]
    return MAP_SIDE / max(sides)


def extreme(grid: Grid, sign: int) -> float:
    """Return the largest value for sign 1, the smallest for sign -1."""
    return sign * max(sign * value for row in grid for value in row)


def draw_map(grid: Grid, left: float, top: float, cell: float) -> str:
    """Return a map as a gray image, from its smallest value (black) to its largest (white)."""
    from PIL import Image

    low, high = extreme(grid, -1), extreme(grid, 1)
    scale = 255 / (high - low) if high > low else 0
    pixels = bytes(round((value - low) * scale) for row in grid for value in row)
    height, width = len(grid), len(grid[0])
    file = BytesIO()
    Image.frombytes("L", (width, height), pixels).save(file, "PNG")
    data = base64.b64encode(file.getvalue()).decode()
    return (
        f'<image x="{left:.1f}" y="{top:.1f}" width="{width * cell:.1f}" '
        f'height="{height * cell:.1f}" preserveAspectRatio="none" '
        f'style="image-rendering:pixelated" href="data:image/png;base64,{data}"/>'
        + rectangle(left, top, width * cell, height * cell, "none")
    )


def draw_frame(
    origin: Position, span: Position, left: float, top: float, cell: float, color: str
) -> str:
    """Return a frame around pixels of a map."""
    x, y = left + origin[1] * cell, top + origin[0] * cell
    return rectangle(x, y, span[1] * cell, span[0] * cell, "none", color, 2)


def grid_cell(grid: Grid) -> float:
    """Return the side of a cell of a grid of numbers."""
    return min(MAX_CELL, GRID_SIDE / max(len(grid), len(grid[0])))


def channel_height(step: FilterExplanation) -> float:
    """Return the height of a channel in the picture."""
    patch = step.channels[0].patch
    return grid_cell(patch) * len(patch) + 62


def draw_channel(channel: ChannelStep, top: float) -> Iterator[str]:
    """Yield patch * weights = products, and their sum."""
    cell = grid_cell(channel.patch)
    width, height = cell * len(channel.patch[0]), cell * len(channel.patch)
    left = float(MARGIN)
    names = (f"patch of channel {channel.channel}", "weights", "products")
    grids = (channel.patch, channel.weights, channel.products)
    yield line(MARGIN, top - 22, WIDTH - MARGIN, top - 22, "#d1d9e0")
    for name, grid, sign in zip(names, grids, ("*", "=", ""), strict=True):
        yield text(left, top - 4, name, bold=True)
        yield from draw_grid(grid, left, top + 6, cell)
        middle = top + 6 + height / 2 + 6
        yield text(left + width + GAP / 2, middle, sign, size=18, anchor="middle")
        left += max(width, 110) + GAP
    yield text(MARGIN, top + height + 24, f"sum of the products: {number_text(channel.total)}")


def draw_grid(grid: Grid, left: float, top: float, cell: float) -> Iterator[str]:
    """Yield a grid of numbers; blue is positive, red is negative."""
    largest = max(abs(value) for row in grid for value in row) or 1.0
    for y, row in enumerate(grid):
        for x, value in enumerate(row):
            # Light enough for dark numbers.
            color = blend(BLUE if value > 0 else RED, 0.55 * abs(value) / largest)
            x0, y0, shown = left + x * cell, top + y * cell, number_text(value)
            yield rectangle(x0, y0, cell, cell, color, label=shown)
            if cell >= LEGIBLE_CELL:
                yield text(x0 + cell / 2, y0 + cell / 2 + 4, shown, size=11, anchor="middle")


def blend(color: str, share: float) -> str:
    """Return a color mixed with white."""
    parts = (int(color[start : start + 2], 16) for start in (1, 3, 5))
    return "#" + "".join(f"{round(255 + (part - 255) * share):02x}" for part in parts)

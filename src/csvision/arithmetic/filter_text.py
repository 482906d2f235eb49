"""Format the explanation of a filter as text."""

from collections.abc import Iterator

from csvision.arithmetic.filter_step import ChannelStep, FilterExplanation, Grid


def format_filter(step: FilterExplanation) -> str:
    """Return patch, weights, products and sums as text."""
    lines = [title(step), window_sentence(step)]
    for channel in step.channels:
        lines += ["", *channel_lines(channel)]
    return "\n".join([*lines, "", *sum_lines(step)])


def title(step: FilterExplanation) -> str:
    """Return which output is explained."""
    name = f" ({step.label})" if step.label else ""
    return (
        f"filter {step.filter} of {step.filters} of {step.layer} at position "
        f"{list(step.position)}, image in row {step.row}{name}"
    )


def window_sentence(step: FilterExplanation) -> str:
    """Return which pixels of the input are under the filter."""
    (top, left), (height, width) = step.origin, step.span
    rows, columns = f"{top} to {top + height - 1}", f"{left} to {left + width - 1}"
    sides = len(step.input_map), len(step.input_map[0])
    outside = min(top, left) < 0 or top + height > sides[0] or left + width > sides[1]
    padding = ", partly padding" if outside else ""
    return (
        f"the filter covers rows {rows} and columns {columns} of its {sides[0]}x{sides[1]} "
        f"input{padding}"
    )


def channel_lines(channel: ChannelStep) -> Iterator[str]:
    """Yield patch * weights = products, side by side."""
    blocks = [format_grid(grid) for grid in (channel.patch, channel.weights, channel.products)]
    widths = [len(block[0]) for block in blocks]
    names = (f"channel {channel.channel}: patch", "weights", "products")
    widths = [max(width, len(name)) for width, name in zip(widths, names, strict=True)]
    yield "   ".join(f"{name:<{width}}" for name, width in zip(names, widths, strict=True)).rstrip()
    for number, cells in enumerate(zip(*blocks, strict=True)):
        first, second, third = (
            f"{cell:<{width}}" for cell, width in zip(cells, widths, strict=True)
        )
        middle = number == len(blocks[0]) // 2
        yield f"{first} {'*' if middle else ' '} {second} {'=' if middle else ' '} {third}".rstrip()
    yield f"sum of the products: {number_text(channel.total)}"


def sum_lines(step: FilterExplanation) -> Iterator[str]:
    """Yield the sum of all channels and the bias, and the next position."""
    parts = [number_text(channel.total) for channel in step.channels]
    if step.other_channels:
        parts.append(f"{number_text(step.other_total)} ({step.other_channels} other channels)")
    parts.append(f"{number_text(step.bias)} (bias)")
    yield f"output: {' + '.join(parts)} = {number_text(step.output)}"
    if step.next_position is not None and step.next_output is not None:
        yield f"next position {list(step.next_position)}: {number_text(step.next_output)}"


def format_grid(grid: Grid) -> list[str]:
    """Return the rows of a grid with aligned numbers."""
    cells = [[number_text(value) for value in row] for row in grid]
    width = max(len(cell) for row in cells for cell in row)
    return [" ".join(f"{cell:>{width}}" for cell in row) for row in cells]


def number_text(value: float) -> str:
    """Return a number with three decimals, or in scientific notation if it would be 0."""
    text = f"{value:.3f}"
    if value and float(text) == 0:
        return f"{value:.1e}"
    return "0" if value == 0 else text

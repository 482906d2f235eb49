"""The windows of convolutions and poolings: sizes with their formula, and uses of input pixels.

Formulas: Dumoulin and Visin, "A guide to convolution arithmetic for deep learning" (2016). Along
one axis; both axes of an image are independent.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from csvision.config.model_schema import CNNConfig, PaddingMode, Stage
from csvision.layer_shapes import output_size, resolve_padding


@dataclass(frozen=True)
class Window:
    """A square window that slides over an image; `padding` is (before, after)."""

    kernel_size: int
    stride: int = 1
    padding: tuple[int, int] = (0, 0)
    dilation: int = 1
    padding_mode: PaddingMode = PaddingMode.zeros

    @property
    def span(self) -> int:
        """The number of pixels from the first to the last pixel under the window."""
        return self.dilation * (self.kernel_size - 1) + 1

    def output_size(self, size: int) -> int:
        """Return the number of positions on an axis of `size` pixels."""
        return output_size(size, self.kernel_size, self.stride, self.padding, self.dilation)


RESIDUAL_WINDOW = Window(3, padding=(1, 1))
"""The convolutions of residual blocks."""


def stage_window(model: CNNConfig, name: str) -> Window | None:
    """Return the window of a layer of a CNN, by its name in the layer table; None without one."""
    match name.split("."):
        case ["stages", index, "convolution"]:
            return conv_window(model.stages[int(index)])
        case ["stages", index, "pool"]:
            stage = model.stages[int(index)]
            return Window(stage.pool_size, stage.pool_stride or stage.pool_size)
        case ["stages", _, "residual", _, _, "convolution"]:
            return RESIDUAL_WINDOW
        case _:
            return None


def conv_window(stage: Stage) -> Window:
    """Return the window of the convolution of a stage."""
    padding = resolve_padding(stage.padding, stage.kernel_size, stage.dilation)
    return Window(stage.kernel_size, stage.stride, padding, stage.dilation, stage.padding_mode)


def size_formula(size: int, window: Window) -> str:
    """Return the output size along an axis with the numbers filled in, such as (28 - 3)/1 + 1 = 26.

    The padding is left out if there is none.
    """
    before, after = window.padding
    padded = f"{size:,}"
    if before == after:
        padded += f" + 2*{before:,}" if before else ""
    else:
        padded += f" + {before:,} + {after:,}"
    covered = f"{window.kernel_size:,}"
    if window.dilation > 1:
        covered = f"{window.dilation:,}*({window.kernel_size:,} - 1) - 1"
    moves = size + before + after - window.span
    quotient = f"({padded} - {covered})/{window.stride:,}"
    if moves % window.stride:
        quotient = f"floor({quotient})"
    return f"{quotient} + 1 = {window.output_size(size):,}"


def count_uses(size: int, window: Window, pixel: int) -> int:
    """Return how often a pixel of an axis is under the window, over all of its positions.

    Pixels that the padding copies are counted with their copies.
    """
    positions = window.output_size(size)
    uses = 0
    for place in places_of(pixel, size, window):
        for tap in range(window.kernel_size):
            position, rest = divmod(place - tap * window.dilation, window.stride)
            uses += rest == 0 and 0 <= position < positions
    return uses


def places_of(pixel: int, size: int, window: Window) -> Iterator[int]:
    """Yield the positions on the padded axis at which a pixel, or a copy of it, is."""
    before, after = window.padding
    for place in range(before + size + after):
        if source_pixel(place - before, size, window.padding_mode) == pixel:
            yield place


def source_pixel(place: int, size: int, mode: PaddingMode) -> int | None:
    """Return the pixel that padding shows at a place from -before; None for a zero."""
    if 0 <= place < size:
        return place
    match mode:
        case PaddingMode.zeros:
            return None
        case PaddingMode.reflect:
            return -place if place < 0 else 2 * (size - 1) - place
        case PaddingMode.replicate:
            return 0 if place < 0 else size - 1
        case PaddingMode.circular:
            return place % size


@dataclass(frozen=True)
class ReceptiveField:
    """The pixels that one value depends on: `side` along each axis, `step` between neighbors.

    Araujo, Norris and Sim, "Computing receptive fields of convolutional neural networks" (2019).
    The field may be larger than the image.
    """

    side: int = 1
    step: int = 1

    def after(self, window: Window) -> "ReceptiveField":
        """Return the field of the values that a window computes from values with this field."""
        side = self.side + (window.span - 1) * self.step
        return ReceptiveField(side, self.step * window.stride)

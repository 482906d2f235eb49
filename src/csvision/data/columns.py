"""Which columns of a file are label and pixels, and how pixels form an image.

Shapes: N rows, P pixels per row, C channels, H height, W width.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import isqrt, prod
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from csvision.config.schema import Layout
from csvision.data.names import find_numbered
from csvision.errors import DataError
from csvision.layer_shapes import Shape

NEARLY_SQUARE = 1.5
"""The largest ratio of the sides of a color image that is suggested: that of 3:2 photographs."""


@dataclass(frozen=True)
class Columns:
    """The roles of the columns of a file, by their indices.

    `pixels` are in the order of the image. `one_hot` columns are 1 for the rows of one label each.
    `ids` identifies each row, `split` says to which split it belongs. Other columns are not read.
    `transpose` is for images that are stored column by column.
    """

    names: tuple[str, ...]
    pixels: tuple[int, ...]
    image_shape: Shape
    layout: Layout = Layout.channels_first
    transpose: bool = False
    label: int | None = None
    one_hot: tuple[int, ...] = ()
    ids: int | None = None
    split: int | None = None
    has_header: bool = True

    @property
    def num_pixels(self) -> int:
        """The number of pixel columns."""
        return len(self.pixels)

    @property
    def has_labels(self) -> bool:
        """Whether the file has labels."""
        return self.label is not None or bool(self.one_hot)

    def name_of(self, index: int) -> str:
        """Return the name of a column; its number, from 1, if the name is not printable."""
        name = self.names[index].strip()
        return name if name and name.isprintable() else str(index + 1)

    def pixel_names(self) -> list[str] | None:
        """Return the names of the pixels; None if they are numbered, not unique, or not known."""
        names = [self.names[index] for index in self.pixels]
        is_known = self.has_header and len(set(names)) == len(names)
        return names if is_known and len(find_numbered(names)) < len(names) else None

    def to_images(self, pixels: NDArray[Any]) -> NDArray[Any]:
        """Return rows of pixels (N, P) as images (N, C, H, W)."""
        channels, height, width = self.image_shape
        if self.transpose:
            height, width = width, height
        if self.layout is Layout.channels_last:
            images = pixels.reshape(-1, height, width, channels).transpose(0, 3, 1, 2)
        else:
            images = pixels.reshape(-1, channels, height, width)
        return images.transpose(0, 1, 3, 2) if self.transpose else images


def infer_image_shape(
    path: Path, pixel_names: Sequence[str], image_shape: Sequence[int] | None
) -> Shape:
    """Return the given (C, H, W), that of a grayscale square, or that of an RGB square.

    Raises DataError if the number of pixels is another one, or not that of a square.
    """
    num_pixels = len(pixel_names)
    if image_shape is not None:
        if prod(image_shape) != num_pixels:
            raise DataError(
                f"{path}: {num_pixels} pixel columns, but image shape {list(image_shape)} needs "
                f"{prod(image_shape)}; check data.image_shape, or leave out other columns by "
                "data.ignore=[NAME]"
            )
        return tuple(image_shape)
    if not num_pixels:
        raise DataError(
            f"{path}, line 1: there are no pixel columns besides the label; separate the cells by "
            "commas"
        )
    if num_pixels < 2:
        raise DataError(
            f"{path}: images of {num_pixels} pixels; this file has no images, or its cells are not "
            "separated by commas"
        )
    if is_square(num_pixels):
        side = isqrt(num_pixels)
        return (1, side, side)
    if num_pixels > 3 and num_pixels % 3 == 0 and is_square(num_pixels // 3):
        side = isqrt(num_pixels // 3)
        return (3, side, side)
    raise DataError(f"{path}: {num_pixels} pixel columns do not form {square_hint(pixel_names)}")


def is_square(number: int) -> bool:
    """Return whether a number is the square of another one."""
    return isqrt(number) ** 2 == number


def square_hint(pixel_names: Sequence[str]) -> str:
    """Say what to do with pixels that form no square; one too many is perhaps no pixel."""
    num_pixels, side = len(pixel_names), isqrt(len(pixel_names))
    ignore = "data.ignore=[NAME]"
    if is_square(num_pixels - 1) and num_pixels > 2:
        return (
            f"a square, but one less would ({side}x{side}); leave out the column that is no pixel, "
            f"such as {pixel_names[0]} or {pixel_names[-1]}, by {ignore}"
        )
    return (
        f"a square (nearest: {side**2} and {(side + 1) ** 2}); set data.image_shape, for example "
        f"{suggest_shapes(num_pixels)}, or leave out columns that are no pixels by {ignore}"
    )


def suggest_shapes(num_pixels: int) -> str:
    """Return up to three shapes with this number of pixels as text.

    RGB images that are nearly square come first, then a square of two channels, then grayscale.
    """
    shapes: list[list[int]] = []
    if num_pixels % 3 == 0:
        for short, long in side_pairs(num_pixels // 3):
            if short <= long <= NEARLY_SQUARE * short:
                shapes += [[3, short, long], [3, long, short]][: 1 + (short < long)]
    if (side := isqrt(num_pixels // 2)) ** 2 * 2 == num_pixels:
        shapes.append([2, side, side])
    shapes += [[1, short, long] for short, long in side_pairs(num_pixels)]
    return " or ".join(str(shape).replace(" ", "") for shape in shapes[:3])


def side_pairs(area: int) -> list[tuple[int, int]]:
    """Return the sides of all rectangles of this area, the short one first; the squarest first."""
    shorts = range(isqrt(area), 0, -1)
    return [(short, area // short) for short in shorts if area % short == 0]

"""Which column of a file is the label, which are pixels, and how pixels form an image."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import isqrt, prod
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from csvision.config.schema import Layout
from csvision.data.read_options import ReadOptions
from csvision.errors import DataError
from csvision.layer_shapes import Shape


@dataclass(frozen=True)
class Columns:
    """The columns of a file: their names, the index of the label column if any, the image shape."""

    names: tuple[str, ...]
    label_index: int | None
    image_shape: Shape
    layout: Layout

    @property
    def num_pixels(self) -> int:
        """The number of pixel columns."""
        return len(self.names) - (self.label_index is not None)

    def to_images(self, pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Return rows of pixels (N, P) as images (N, C, H, W)."""
        channels, height, width = self.image_shape
        if self.layout is Layout.channels_last:
            return pixels.reshape(-1, height, width, channels).transpose(0, 3, 1, 2)
        return pixels.reshape(-1, channels, height, width)


def infer_columns(path: Path, names: Sequence[str], options: ReadOptions) -> Columns:
    """Return which of the named columns are label and pixels, and the shape of the images.

    Raises DataError if names, number of columns and image shape do not match.
    """
    if options.image_shape is not None:
        check_column_count(path, len(names), options.image_shape, options.allow_missing_labels)
    label_index = find_label(path, names, options)
    num_pixels = len(names) - (label_index is not None)
    if num_pixels < 1:
        raise DataError(
            f"{path}, line 1: there are no pixel columns besides the label; "
            "separate the cells by commas"
        )
    shape = infer_image_shape(path, num_pixels, options.image_shape)
    return Columns(tuple(names), label_index, shape, Layout(options.layout))


def check_column_count(
    path: Path, count: int, image_shape: Sequence[int], allow_missing_labels: bool
) -> None:
    """Raise DataError unless the number of columns is that of a label and an image."""
    num_pixels = prod(image_shape)
    if count == num_pixels + 1 or (count == num_pixels and allow_missing_labels):
        return
    hint = "add the label column" if count == num_pixels else "check the image shape"
    raise DataError(
        f"{path}: {count} columns, but image shape {list(image_shape)} needs {num_pixels} pixel "
        f"columns and a label column; {hint}"
    )


def find_label(path: Path, names: Sequence[str], options: ReadOptions) -> int | None:
    """Return the index of the label column; None for a file without labels if that is allowed.

    A file has no labels if it has as many columns as an image has pixels.
    """
    shape, label = options.image_shape, options.label_column
    if options.allow_missing_labels and shape is not None and len(names) == prod(shape):
        return None
    if label is None:
        return 0
    if names.count(label) != 1:
        found = "more than one column" if label in names else "no column"
        raise DataError(
            f"{path}, line 1: {found} is named {label!r} (data.label_column); "
            f"the columns are {', '.join(names[:3])}, ..."
        )
    return names.index(label)


def infer_image_shape(path: Path, num_pixels: int, image_shape: Sequence[int] | None) -> Shape:
    """Return the given (C, H, W), or that of a grayscale square.

    Raises DataError if there is no given shape and the pixels do not form a square.
    """
    if image_shape is not None:
        return tuple(image_shape)
    side = isqrt(num_pixels)
    if side * side != num_pixels:
        raise DataError(
            f"{path}: {num_pixels} pixel columns do not form a square (nearest: {side * side} and "
            f"{(side + 1) ** 2}); set data.image_shape, for example {suggest_shapes(num_pixels)}"
        )
    return (1, side, side)


def suggest_shapes(num_pixels: int) -> str:
    """Return up to three shapes with this number of pixels as text, color squares first."""
    shapes = [
        [channels, side, side]
        for channels in (3, 4, 2)
        if (side := isqrt(num_pixels // channels)) ** 2 * channels == num_pixels
    ]
    heights = [height for height in range(1, isqrt(num_pixels) + 1) if num_pixels % height == 0]
    shapes += [[1, height, num_pixels // height] for height in reversed(heights)]
    return " or ".join(str(shape).replace(" ", "") for shape in shapes[:3])

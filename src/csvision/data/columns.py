"""Which column of a file is the label, which are pixels, and how pixels form an image."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import isqrt, prod
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from csvision.errors import DataError
from csvision.geometry import Shape
from csvision.schema import Layout


@dataclass(frozen=True)
class Columns:
    """The columns of a file: all names, the index of the label (None without one), the shape."""

    names: tuple[str, ...]
    label: int | None
    image_shape: Shape
    layout: Layout

    @property
    def pixels(self) -> int:
        """How many columns are pixels."""
        return len(self.names) - (self.label is not None)

    def to_images(self, pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Rows of pixels (N, P) as images (N, C, H, W)."""
        channels, height, width = self.image_shape
        if self.layout is Layout.channels_last:
            return pixels.reshape(-1, height, width, channels).transpose(0, 3, 1, 2)
        return pixels.reshape(-1, channels, height, width)


def choose_columns(
    path: Path,
    names: Sequence[str],
    label: str | None,
    image_shape: Sequence[int] | None,
    layout: Layout,
    unlabelled: bool = False,
) -> Columns:
    """The columns of a file with these names.

    The label is the first column or the one named `label`; `unlabelled` allows a file that, by its
    number of columns or for want of that name, has none. Raises DataError when names, pixels and
    shape do not go together.
    """
    if image_shape is not None:
        refuse_misfit(path, len(names), image_shape, unlabelled)
    index = label_index(path, names, label, image_shape, unlabelled)
    pixels = len(names) - (index is not None)
    if pixels < 1:
        raise DataError(
            f"{path}, line 1: there are no pixel columns after the label; "
            "cells are parted by commas"
        )
    return Columns(tuple(names), index, shape_of(path, pixels, image_shape), layout)


def refuse_misfit(path: Path, columns: int, image_shape: Sequence[int], unlabelled: bool) -> None:
    """Raise DataError when a number of columns cannot be that of a label and an image."""
    pixels = prod(image_shape)
    needed = f"image_shape={list(image_shape)} needs {pixels} pixels"
    if columns == pixels and not unlabelled:
        raise DataError(f"{path} has {columns} columns and {needed}: the label is missing")
    if columns not in (pixels, pixels + 1):
        raise DataError(f"{path} has {columns} columns where {needed} and a label")


def label_index(
    path: Path,
    names: Sequence[str],
    label: str | None,
    image_shape: Sequence[int] | None,
    unlabelled: bool,
) -> int | None:
    """The index of the label's column; None for a file without labels, where that is allowed."""
    if unlabelled and image_shape is not None and len(names) == prod(image_shape):
        return None
    if label is None:
        return 0
    if names.count(label) != 1:
        found = "more than one column" if label in names else "no column"
        shown = ", ".join(names[:3])
        raise DataError(f"{path}, line 1: {found} is named {label!r} (data.label); {shown}, ...")
    return names.index(label)


def shape_of(path: Path, pixels: int, image_shape: Sequence[int] | None) -> Shape:
    """The (C, H, W) of a row of pixels; raises DataError when the pixels do not fit it."""
    if image_shape is not None:
        return tuple(image_shape)
    side = isqrt(pixels)
    if side * side != pixels:
        raise DataError(
            f"{path} has {pixels} pixel columns, which is no square (the nearest are "
            f"{side * side} and {(side + 1) ** 2}); give data.image_shape, {fitting_shapes(pixels)}"
        )
    return (1, side, side)


def fitting_shapes(pixels: int) -> str:
    """The shapes that fit a number of pixels: colour squares first, then the rectangles nearest to
    a square."""
    shapes = [
        [channels, side, side]
        for channels in (3, 4, 2)
        if pixels % channels == 0 and (side := isqrt(pixels // channels)) ** 2 * channels == pixels
    ]
    heights = [height for height in range(1, isqrt(pixels) + 1) if pixels % height == 0]
    shapes += [[1, height, pixels // height] for height in reversed(heights)]
    return "such as " + " or ".join(str(shape).replace(" ", "") for shape in shapes[:3])

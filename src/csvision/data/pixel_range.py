"""The values of black and white in a file, decided by all of its pixels.

Shapes: N rows, P pixels per row.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf, isfinite
from typing import Any

import numpy as np
from numpy.typing import NDArray

from csvision.config.pixel_range import PixelRange
from csvision.data.cells import parse_float

BYTES: PixelRange = (0.0, 255.0)
UNIT: PixelRange = (0.0, 1.0)
SMALL_RANGES = (15.0, 16.0)
"""Largest whole numbers of images with 16 or 17 levels."""

UNIT_NOTICE = "pixels are from 0 to 1"
DARK_NOTICE = "the largest pixel is "

FEW_CELLS = 20
FEW_FRACTION = 0.01
DARKEST = 17 / 255
"""The largest fraction of white that the brightest pixel has in a file of another range."""

DARK = 128
"""A file whose largest pixel is smaller is reported."""


class AmbiguousRangeError(ValueError):
    """Pixels of which the range is not clear; the message says what to set."""


@dataclass
class PixelStats:
    """What decides the range of the pixels that were added.

    `reference` is the range of the training file, if there is one.
    """

    reference: PixelRange | None = None
    count: int = 0
    minimum: float = inf
    maximum: float = -inf
    fractions: int = 0
    unit_fractions: int = 0
    above_one: int = 0
    outside_bytes: int = 0
    outside_reference: int = 0

    def add(self, pixels: NDArray[Any]) -> None:
        """Add pixels (N, P): bytes or finite numbers."""
        if not pixels.size:
            return
        self.count += pixels.size
        self.minimum = min(self.minimum, float(pixels.min()))
        self.maximum = max(self.maximum, float(pixels.max()))
        self.above_one += int(np.count_nonzero(pixels > 1))
        if pixels.dtype != np.uint8:
            is_fraction = pixels != np.rint(pixels)
            self.fractions += int(np.count_nonzero(is_fraction))
            self.unit_fractions += int(np.count_nonzero(is_fraction & (pixels <= 1)))
            self.outside_bytes += count_outside(pixels, BYTES)
        if self.reference is not None and self.reference != BYTES:
            self.outside_reference += count_outside(pixels, self.reference)

    def is_few(self, cells: int) -> bool:
        """Return whether a number of cells is small enough to be errors."""
        return cells <= FEW_CELLS or cells < FEW_FRACTION * self.count


def count_outside(pixels: NDArray[Any], pixel_range: PixelRange) -> int:
    """Return the number of pixels (N, P) that are not in a range."""
    low, high = pixel_range
    return int(np.count_nonzero((pixels < low) | (pixels > high)))


def decide_range(stats: PixelStats) -> PixelRange:
    """Return the range of a file with these pixels.

    It is that of the training file, if there is one; but fractions from 0 to 1 are scaled to those
    of a training file from 0 to 255. Raises AmbiguousRangeError if the range is not clear, or
    cannot be that of the training file.
    """
    reference = stats.reference
    if reference is None:
        return guess_range(stats)
    outside = stats.outside_bytes if reference == BYTES else stats.outside_reference
    many_outside = outside > 0 and not stats.is_few(outside)
    if reference == BYTES and stats.fractions and is_unit_range(stats) and not many_outside:
        return UNIT
    low, high = reference
    brightest = (stats.maximum - low) / (high - low)
    if many_outside or 0 < brightest <= DARKEST:
        raise AmbiguousRangeError(
            f"pixels from {stats.minimum:g} to {stats.maximum:g}, but those of the training file "
            f"are from {low:g} to {high:g}; set data.pixel_range=[BLACK,WHITE] to the values of "
            "black and white in this file"
        )
    return reference


def guess_range(stats: PixelStats) -> PixelRange:
    """Return the range that pixels decide; raises AmbiguousRangeError if they do not."""
    if stats.outside_bytes and not stats.is_few(stats.outside_bytes):
        low, high = suggest_range(stats)
        raise AmbiguousRangeError(
            f"pixels from {stats.minimum:g} to {stats.maximum:g}, neither 0..255 nor 0..1; set "
            f"data.pixel_range=[BLACK,WHITE], for example [{low:g},{high:g}]"
        )
    if is_unit_range(stats):
        return UNIT
    if stats.maximum in SMALL_RANGES and not stats.fractions:
        return 0.0, stats.maximum
    if 1 < stats.maximum <= max(SMALL_RANGES):
        raise AmbiguousRangeError(
            f"the largest pixel is {stats.maximum:g}: black and white may be 0 and "
            f"{stats.maximum:g}, or 0 and 255 in dark images; set data.pixel_range="
            f"{stats.maximum:g} or data.pixel_range=255"
        )
    return BYTES


def suggest_range(stats: PixelStats) -> PixelRange:
    """Return black and white for pixels of which many are negative or above 255."""
    if stats.minimum >= -1 and stats.maximum <= 1:
        return -1.0, 1.0
    low = min(stats.minimum, 0.0)
    return low, max(stats.maximum, low + 1)


def is_unit_range(stats: PixelStats) -> bool:
    """Return whether pixels are from 0 to 1: fractions with few above 1, or 0 and 1 only."""
    if stats.unit_fractions and (stats.maximum <= 1 or few_above_one(stats)):
        return True
    return stats.maximum == 1


def few_above_one(stats: PixelStats) -> bool:
    """Return whether few fractions are above 1, so that those are errors."""
    return stats.is_few(stats.above_one) and stats.above_one < 0.1 * stats.count


def guess_from_rows(
    rows: Sequence[Sequence[str]], columns: Sequence[int], reference: PixelRange | None = None
) -> PixelRange:
    """Return the range that the pixels in the first rows decide.

    If they do not, it is that of the training file, or 0..255 without a training file.
    """
    cells = [parse_float(row[index]) for row in rows for index in columns]
    values = [value for value in cells if value is not None and isfinite(value)]
    stats = PixelStats(reference)
    stats.add(np.array(values, dtype=np.float64))
    try:
        return decide_range(stats)
    except AmbiguousRangeError:
        return reference or BYTES


def range_notices(stats: PixelStats, pixel_range: PixelRange, automatic: bool) -> list[str]:
    """Return what to report about the pixels of a file that was read with a range."""
    notices = []
    if automatic and pixel_range == UNIT:
        notices.append(UNIT_NOTICE if stats.fractions else "pixels are 0 (black) and 1 (white)")
    elif automatic and pixel_range != BYTES:
        notices.append(f"pixels are from {pixel_range[0]:g} to {pixel_range[1]:g}")
    if automatic and pixel_range == BYTES and 1 < stats.maximum < DARK:
        notices.append(
            f"{DARK_NOTICE}{stats.maximum:g} of 255; set data.pixel_range if that is white"
        )
    if pixel_range == BYTES and stats.fractions:
        notices.append(f"{stats.fractions} pixels are not whole numbers and were rounded")
    return notices


def to_bytes(pixels: NDArray[np.float64], pixel_range: PixelRange) -> NDArray[np.uint8]:
    """Return pixels (N, P) scaled from their range to 0..255 and rounded."""
    low, high = pixel_range
    return np.rint((pixels - low) * (255 / (high - low))).astype(np.uint8)

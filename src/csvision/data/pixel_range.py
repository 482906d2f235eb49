"""The values of black and white in a file, decided by all of its pixels.

Shapes: N rows, P pixels per row.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf, isfinite
from typing import Any

import numpy as np
from numpy.typing import NDArray

from csvision.data.cells import parse_float
from csvision.data.read_options import PixelRange
from csvision.errors import ConfigError

AUTO = "auto"
BYTES: PixelRange = (0.0, 255.0)
UNIT: PixelRange = (0.0, 1.0)
SMALL_RANGES = (15.0, 16.0)
"""Largest whole numbers of images with 16 or 17 levels."""

FEW_CELLS = 20
FEW_FRACTION = 0.01
DARK = 128
"""A file whose largest pixel is smaller is reported."""


class AmbiguousRangeError(ValueError):
    """Pixels of which the range is not clear; the message says what to set."""


@dataclass
class PixelStats:
    """What decides the range of the pixels that were added."""

    count: int = 0
    minimum: float = inf
    maximum: float = -inf
    fractions: int = 0
    above_one: int = 0
    outside_bytes: int = 0

    def add_bytes(self, pixels: NDArray[np.uint8]) -> None:
        """Add pixels (N, P) that are whole numbers from 0 to 255."""
        if not pixels.size:
            return
        self.count += pixels.size
        self.minimum = min(self.minimum, float(pixels.min()))
        self.maximum = max(self.maximum, float(pixels.max()))
        self.above_one += int(np.count_nonzero(pixels > 1))

    def add(self, pixels: NDArray[np.float64]) -> None:
        """Add finite pixels (N, P)."""
        if not pixels.size:
            return
        self.count += pixels.size
        self.minimum = min(self.minimum, float(pixels.min()))
        self.maximum = max(self.maximum, float(pixels.max()))
        self.fractions += int(np.count_nonzero(pixels != np.rint(pixels)))
        self.above_one += int(np.count_nonzero(pixels > 1))
        self.outside_bytes += int(np.count_nonzero((pixels < 0) | (pixels > 255)))

    def is_few(self, cells: int) -> bool:
        """Return whether a number of cells is small enough to be errors."""
        return cells <= FEW_CELLS or cells < FEW_FRACTION * self.count


def parse_pixel_range(value: str | float | Sequence[float]) -> PixelRange | None:
    """Return the values of black and white for a configured range; None for auto.

    Raises ConfigError if it is not auto, a number above 0, or two increasing numbers.
    """
    if isinstance(value, str):
        if value == AUTO:
            return None
        text = value.strip("[]() ")
        parts: Sequence[Any] = text.split(",") if "," in text else [text]
    else:
        parts = list(value) if isinstance(value, Sequence) else [value]
    try:
        numbers = [float(part) for part in parts]
    except (TypeError, ValueError):
        numbers = []
    low, high = numbers if len(numbers) == 2 else (0.0, numbers[0] if len(numbers) == 1 else 0.0)
    if not (low < high and isfinite(low) and isfinite(high)):
        raise ConfigError(
            f"data.pixel_range={value}: not auto, a number above 0, or [black,white] with "
            "black < white"
        )
    return low, high


def decide_range(stats: PixelStats, reference: PixelRange | None = None) -> PixelRange:
    """Return the range of a file with these pixels.

    With a `reference`, the range of the training file, whole files that cannot have this range are
    refused, except that fractions from 0 to 1 are scaled. Raises AmbiguousRangeError.
    """
    found = guess_range(stats)
    if reference is None:
        return found
    if found == UNIT and stats.fractions and reference == BYTES:
        return UNIT
    if stats.maximum <= 1 < reference[1] / 2 and stats.maximum > 0 and found != reference:
        raise AmbiguousRangeError(
            f"pixels from {stats.minimum:g} to {stats.maximum:g}, but those of the training file "
            f"are from {reference[0]:g} to {reference[1]:g}; set data.pixel_range, "
            "or scale the pixels of this file"
        )
    return reference


def guess_range(stats: PixelStats) -> PixelRange:
    """Return the range of a file with these pixels; raises AmbiguousRangeError if it is not clear."""
    if stats.outside_bytes and not stats.is_few(stats.outside_bytes):
        raise AmbiguousRangeError(
            f"pixels from {stats.minimum:g} to {stats.maximum:g}, neither 0..255 nor 0..1; set "
            f"data.pixel_range=[{stats.minimum:g},{stats.maximum:g}] if these are black and white"
        )
    if stats.fractions and (stats.maximum <= 1 or few_above_one(stats)):
        return UNIT
    if stats.maximum == 1:
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


def few_above_one(stats: PixelStats) -> bool:
    """Return whether few fractions are above 1, so that those are errors."""
    return stats.is_few(stats.above_one) and stats.above_one < 0.1 * stats.count


def guess_from_rows(rows: Sequence[Sequence[str]], columns: Sequence[int]) -> PixelRange:
    """Return the range that the pixels in the first rows decide, 0..255 if they do not."""
    cells = [parse_float(row[index]) for row in rows for index in columns]
    values = [value for value in cells if value is not None and isfinite(value)]
    stats = PixelStats()
    stats.add(np.array(values, dtype=np.float64))
    try:
        return guess_range(stats)
    except AmbiguousRangeError:
        return BYTES


def range_notices(stats: PixelStats, pixel_range: PixelRange, automatic: bool) -> list[str]:
    """Return what to report about the pixels of a file that was read with a range."""
    notices = []
    if automatic and pixel_range != BYTES:
        notices.append(f"pixels are from {pixel_range[0]:g} to {pixel_range[1]:g}")
    if automatic and pixel_range == BYTES and 1 < stats.maximum < DARK:
        notices.append(
            f"the largest pixel is {stats.maximum:g} of 255; set data.pixel_range if that is white"
        )
    if pixel_range == BYTES and stats.fractions:
        notices.append(f"{stats.fractions} pixels are not whole numbers and were rounded")
    return notices


def to_bytes(pixels: NDArray[np.float64], pixel_range: PixelRange) -> NDArray[np.uint8]:
    """Return pixels (N, P) scaled from their range to 0..255 and rounded."""
    low, high = pixel_range
    return np.rint((pixels - low) * (255 / (high - low))).astype(np.uint8)

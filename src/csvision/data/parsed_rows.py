"""What is done with the rows of a file while it is parsed.

Shapes: N rows, n rows of a chunk, C channels, H height, W width.
"""

from collections import Counter
from dataclasses import dataclass, field
from typing import BinaryIO, Protocol

import numpy as np
from numpy.typing import NDArray

from csvision.config.pixel_range import PixelRange
from csvision.data.columns import Columns
from csvision.data.parse_chunk import ParsedChunk
from csvision.data.parse_strict import ErrorCollector
from csvision.data.pixel_range import BYTES, PixelStats, to_bytes


@dataclass
class Rows:
    """What decides how a file is read, from the rows that have been parsed."""

    stats: PixelStats
    errors: ErrorCollector
    label_counts: Counter[str] = field(default_factory=Counter)
    is_complete: bool = True
    has_booleans: bool = False


class RowTarget(Protocol):
    """Takes the rows of a file while it is parsed."""

    def add(self, images: NDArray[np.uint8], chunk: ParsedChunk) -> None:
        """Take the images (n, C, H, W) of a chunk with its labels, ids and splits."""

    def restart(self) -> None:
        """Forget all rows: the file is parsed again from its first row."""


class KeptRows:
    """Writes images to a file and keeps the rest of the rows in memory.

    `label_numbers` numbers the labels in the order of their first row.
    """

    def __init__(self, file: BinaryIO) -> None:
        self.file = file
        self.start = file.tell()
        self.forget()

    def forget(self) -> None:
        """Start with no rows."""
        self.label_numbers: dict[str, int] = {}
        self.label_index: list[NDArray[np.int64]] = []
        self.hashes: list[NDArray[np.uint64]] = []
        self.constant: list[NDArray[np.bool_]] = []
        self.ids: list[str] = []
        self.splits: list[str] = []

    def restart(self) -> None:
        """Delete the images and forget the rest."""
        self.file.seek(self.start)
        self.file.truncate()
        self.forget()

    def add(self, images: NDArray[np.uint8], chunk: ParsedChunk) -> None:
        """Write the images of a chunk and keep the rest."""
        self.file.write(images.data)
        pixels = images.reshape(len(images), -1)
        self.hashes.append(image_hashes(images))
        self.constant.append((pixels == pixels[:, :1]).all(axis=1))
        numbers = self.label_numbers
        indices = [numbers.setdefault(text, len(numbers)) for text in chunk.labels]
        self.label_index.append(np.array(indices, dtype=np.int64))
        self.ids += chunk.ids
        self.splits += chunk.splits


def scale_images(
    columns: Columns, chunk: ParsedChunk, pixel_range: PixelRange
) -> NDArray[np.uint8] | None:
    """Return the images of a chunk (n, C, H, W), scaled to 0..255.

    Returns None if a pixel is out of the range.
    """
    low, high = pixel_range
    pixels = chunk.pixels
    if pixels.dtype != np.uint8 or pixel_range != BYTES:
        if pixels.size and not (low <= pixels.min() and pixels.max() <= high):
            return None
        pixels = to_bytes(pixels.astype(np.float64, copy=False), pixel_range)
    return np.ascontiguousarray(columns.to_images(pixels))


def image_hashes(images: NDArray[np.uint8]) -> NDArray[np.uint64]:
    """Return a 64-bit hash of each image (N,), equal for equal images."""
    rows = images.reshape(len(images), -1)
    padding = -rows.shape[1] % 8
    padded = np.ascontiguousarray(np.pad(rows, ((0, 0), (0, padding))) if padding else rows)
    first, second = np.random.default_rng(0).integers(
        1, 2**64, size=(2, padded.shape[1] // 8), dtype=np.uint64
    ) | np.uint64(1)
    # Unsigned integers are multiplied modulo 2^64, so a product never moves bits to lower
    # positions: without the shift, every eighth pixel would change only the highest bits.
    mixed = padded.view(np.uint64) * first
    mixed ^= mixed >> np.uint64(32)
    result: NDArray[np.uint64] = (mixed * second).sum(axis=1)
    return result

"""What was found in the rows of a file that have been parsed.

Shapes: N rows, C channels, H height, W width.
"""

from dataclasses import dataclass, field
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from csvision.config.pixel_range import PixelRange
from csvision.data.columns import Columns
from csvision.data.parse_chunk import ParsedChunk
from csvision.data.parse_strict import ErrorCollector
from csvision.data.pixel_range import BYTES, PixelStats, to_bytes


@dataclass
class Rows:
    """What was found in the rows of a file."""

    stats: PixelStats
    errors: ErrorCollector
    label_counts: dict[str, int] = field(default_factory=dict)
    label_index: list[NDArray[np.int64]] = field(default_factory=list)
    hashes: list[NDArray[np.uint64]] = field(default_factory=list)
    constant: list[NDArray[np.bool_]] = field(default_factory=list)
    ids: list[str] = field(default_factory=list)
    splits: list[str] = field(default_factory=list)
    is_complete: bool = True
    has_booleans: bool = False

    def add_labels(self, labels: list[str]) -> None:
        """Count the labels of a chunk and number them in the order of their first row."""
        number = {text: index for index, text in enumerate(self.label_counts)}
        indices = [number.setdefault(text, len(number)) for text in labels]
        self.label_index.append(np.array(indices, dtype=np.int64))
        counts = np.bincount(self.label_index[-1], minlength=len(number)).tolist()
        for text, count in zip(number, counts, strict=True):
            self.label_counts[text] = self.label_counts.get(text, 0) + count


def write_images(
    rows: Rows, columns: Columns, chunk: ParsedChunk, pixel_range: PixelRange, target: BinaryIO
) -> None:
    """Write the images of a chunk and add their hashes, unless a pixel is out of the range."""
    low, high = pixel_range
    pixels = chunk.pixels
    if not rows.is_complete or not pixels.size:
        return
    if pixels.dtype != np.uint8 or pixel_range != BYTES:
        if pixels.size and not (low <= pixels.min() and pixels.max() <= high):
            rows.is_complete = False
            return
        pixels = to_bytes(pixels.astype(np.float64, copy=False), pixel_range)
    images = np.ascontiguousarray(columns.to_images(pixels))
    target.write(images.data)
    rows.hashes.append(image_hashes(images))
    rows.constant.append((pixels == pixels[:, :1]).all(axis=1))


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

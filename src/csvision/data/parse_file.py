"""Parse a whole file into arrays: images are written while they are parsed, labels are indices.

Shapes: N rows, C channels, H height, W width.
"""

import hashlib
import io
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO, TypeVar

import numpy as np
from numpy.typing import NDArray

from csvision.data.columns import Columns
from csvision.data.parse_chunk import iter_parsed_chunks
from csvision.data.parse_strict import parse_int
from csvision.data.source import DataFile
from csvision.errors import DataError

Item = TypeVar("Item")

LabelValues = list[int | str]


@dataclass(frozen=True)
class ParsedFile:
    """The content of a data file.

    `images` (N, C, H, W) are from 0 to 255. `labels` (N,) are indices into `label_values`, the
    labels of the file in ascending order; None if the file has no labels. `hashes` (N,) are equal
    for equal images. `constant` (N,) marks images whose pixels all have the same value.
    `pixels_are_unit_range` is whether the pixels in the file are from 0 to 1. `sha256` is the hash
    of the file.
    """

    images: NDArray[np.uint8]
    labels: NDArray[np.int64] | None
    hashes: NDArray[np.uint64]
    constant: NDArray[np.bool_]
    label_values: LabelValues
    pixels_are_unit_range: bool
    sha256: str


def parse_into_memory(file: DataFile, columns: Columns) -> ParsedFile:
    """Return a parsed file; raises DataError with all errors of the file."""
    target = io.BytesIO()
    parsed = parse_images(file, columns, target)
    images = np.frombuffer(target.getbuffer(), np.uint8).reshape(-1, *columns.image_shape)
    return replace(parsed, images=images)


def parse_images(file: DataFile, columns: Columns, target: BinaryIO) -> ParsedFile:
    """Write the images of a file to `target`; return the parsed file with no images in it.

    Raises DataError with all errors of the file, or if the file changes while it is read.
    """
    before = file.path.stat()
    with ThreadPoolExecutor(1) as executor:
        sha256 = executor.submit(file_sha256, file.path)
        parsed = parse_rows(file, columns, target)
    after = file.path.stat()
    if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns):
        raise DataError(f"{file}: changed while it was read; start again when it is complete")
    return replace(parsed, sha256=sha256.result())


def parse_rows(file: DataFile, columns: Columns, target: BinaryIO) -> ParsedFile:
    """Like `parse_images`, but without the hash of the file."""
    label_to_index: dict[int | str, int] = {}
    labels: list[NDArray[np.int64]] = []
    hashes: list[NDArray[np.uint64]] = []
    constant: list[NDArray[np.bool_]] = []
    for types, chunk in prefetch(iter_parsed_chunks(file, columns)):
        images = np.ascontiguousarray(columns.to_images(chunk.pixels))
        target.write(images.data)
        hashes.append(image_hashes(images))
        constant.append((chunk.pixels == chunk.pixels[:, :1]).all(axis=1))
        if chunk.labels is not None:
            values = map(parse_int, chunk.labels) if types.integer_labels else chunk.labels
            found = [label_to_index.setdefault(value, len(label_to_index)) for value in values]
            labels.append(np.array(found, dtype=np.int64))
    # Labels were numbered in the order of their first row; renumber them in ascending order.
    label_values = sorted(label_to_index)
    sorted_index = np.empty(len(label_values), dtype=np.int64)
    sorted_index[[label_to_index[value] for value in label_values]] = np.arange(len(label_values))
    return ParsedFile(
        images=np.empty((0, *columns.image_shape), dtype=np.uint8),
        labels=sorted_index[np.concatenate(labels)] if labels else None,
        hashes=np.concatenate(hashes),
        constant=np.concatenate(constant),
        label_values=label_values,
        pixels_are_unit_range=types.pixels_are_unit_range,
        sha256="",
    )


def file_sha256(path: Path) -> str:
    """Return the SHA-256 hash of a file in hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def prefetch(items: Iterator[Item]) -> Iterator[Item]:
    """Yield the same items; a second thread computes the next one while one is used."""
    with ThreadPoolExecutor(1) as executor:
        following = executor.submit(next, items, None)
        while (item := following.result()) is not None:
            following = executor.submit(next, items, None)
            yield item


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

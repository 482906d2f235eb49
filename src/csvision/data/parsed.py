"""A whole file as arrays: images written out while they are read, labels as indices.

Shapes: N rows, an image (C, H, W).
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
from csvision.data.parse import read_blocks
from csvision.data.source import ImageFile
from csvision.data.validation import whole_number
from csvision.errors import DataError

Item = TypeVar("Item")

LabelValues = list[int | str]


@dataclass(frozen=True)
class Parsed:
    """What a file holds.

    `images` (N, C, H, W) of 0 to 255; `labels` (N,), indices into `label_values`, the file's labels
    in ascending order, or None without a label column; `hashes` (N,), equal for equal images;
    `constant` (N,) marks images of one shade; `unit_pixels` tells that the file's pixels are shares
    from 0 to 1; `sha256` is that of the file.
    """

    images: NDArray[np.uint8]
    labels: NDArray[np.int64] | None
    hashes: NDArray[np.uint64]
    constant: NDArray[np.bool_]
    label_values: LabelValues
    unit_pixels: bool
    sha256: str


def parse_into_memory(file: ImageFile, columns: Columns) -> Parsed:
    """Read a whole file; raises DataError with its faults."""
    target = io.BytesIO()
    parsed = parse_images(file, columns, target)
    images = np.frombuffer(target.getbuffer(), np.uint8).reshape(-1, *columns.image_shape)
    return replace(parsed, images=images)


def parse_images(file: ImageFile, columns: Columns, target: BinaryIO) -> Parsed:
    """Write a file's images to `target` one after the other; all else, without the images.

    Raises DataError with the faults of the file, or when it changes under way.
    """
    before = file.path.stat()
    with ThreadPoolExecutor(1) as worker:
        content = worker.submit(file_sha256, file.path)
        parsed = parse_rows(file, columns, target)
    after = file.path.stat()
    if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns):
        raise DataError(f"{file} changed while it was read; start again when it is complete")
    return replace(parsed, sha256=content.result())


def parse_rows(file: ImageFile, columns: Columns, target: BinaryIO) -> Parsed:
    """As `parse_images`, without the file's sha256."""
    nothing = np.empty((0, *columns.image_shape), dtype=np.uint8)
    codes: dict[int | str, int] = {}
    labels: list[NDArray[np.int64]] = []
    hashes: list[NDArray[np.uint64]] = []
    constant: list[NDArray[np.bool_]] = []
    for kind, block in ahead(read_blocks(file, columns)):
        images = np.ascontiguousarray(columns.to_images(block.pixels))
        target.write(images.data)
        hashes.append(image_hashes(images))
        constant.append((block.pixels == block.pixels[:, :1]).all(axis=1))
        if block.labels is not None:
            values = map(whole_number, block.labels) if kind.integer_labels else block.labels
            found = [codes.setdefault(value, len(codes)) for value in values]
            labels.append(np.array(found, dtype=np.int64))
    ascending = sorted(codes)
    rank = np.argsort(np.array([codes[value] for value in ascending], dtype=np.int64))
    indices = rank[np.concatenate(labels)] if labels else None
    return Parsed(
        nothing,
        indices,
        np.concatenate(hashes),
        np.concatenate(constant),
        ascending,
        kind.unit_pixels,
        sha256="",
    )


def file_sha256(path: Path) -> str:
    """The sha256 of a file."""
    with path.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def ahead(items: Iterator[Item]) -> Iterator[Item]:
    """The same items, each made in a thread of its own while the one before it is used."""
    with ThreadPoolExecutor(1) as worker:
        following = worker.submit(next, items, None)
        while (item := following.result()) is not None:
            following = worker.submit(next, items, None)
            yield item


def image_hashes(images: NDArray[np.uint8]) -> NDArray[np.uint64]:
    """A 64-bit hash of each image (N,): equal images have equal ones, others hardly ever."""
    rows = images.reshape(len(images), -1)
    missing = -rows.shape[1] % 8
    words = np.ascontiguousarray(np.pad(rows, ((0, 0), (0, missing))) if missing else rows)
    first, second = np.random.default_rng(0).integers(
        1, 2**64, size=(2, words.shape[1] // 8), dtype=np.uint64
    ) | np.uint64(1)
    # Arithmetic modulo 2^64, as unsigned integers do it: a product moves nothing downwards, so that
    # every eighth pixel would tell on the highest bits alone.
    mixed = words.view(np.uint64) * first
    mixed ^= mixed >> np.uint64(32)
    result: NDArray[np.uint64] = (mixed * second).sum(axis=1)
    return result

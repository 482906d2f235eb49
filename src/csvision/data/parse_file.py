"""Parse a whole file into arrays: images are written while they are parsed, labels are indices.

Shapes: N rows, C channels, H height, W width.
"""

import io
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Any, BinaryIO, TypeVar

import numpy as np
from numpy.typing import NDArray

from csvision.config.pixel_range import PixelRange
from csvision.data.columns import Columns
from csvision.data.data_spec import DataSpec, LabelValues
from csvision.data.label_kind import LabelKind, decide_label_kind, kind_of, parse_label
from csvision.data.names import SPLIT_WORDS
from csvision.data.packing import READ_ERRORS
from csvision.data.parse_chunk import ParsedChunk, parse_chunk
from csvision.data.parse_strict import CellTypes, ErrorCollector, label_error
from csvision.data.pixel_range import (
    BYTES,
    UNIT,
    AmbiguousRangeError,
    PixelStats,
    decide_range,
    range_notices,
    to_bytes,
)
from csvision.data.source import Source
from csvision.errors import DataError, first_line

Item = TypeVar("Item")


@dataclass(frozen=True)
class ParsedFile:
    """The content of a data file.

    `images` (N, C, H, W) are from 0 to 255. `labels` (N,) are indices into `label_values`, the
    labels of the file in ascending order; None if the file has no labels. `hashes` (N,) are equal
    for equal images. `constant` (N,) marks images whose pixels all have the same value.
    `pixel_range` has the values of black and white in the file. `sha256` is the hash of the file.
    `ids` has the identifier of each row, `split` "train", "val" or "test", if the file has them.
    `notices` has one line per decision to report.
    """

    images: NDArray[np.uint8]
    labels: NDArray[np.int64] | None
    hashes: NDArray[np.uint64]
    constant: NDArray[np.bool_]
    label_values: LabelValues
    pixel_range: PixelRange
    sha256: str
    ids: list[str] | None = None
    split: list[str] | None = None
    notices: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class ParseSettings:
    """What is known about the cells of a file before it is parsed.

    `pixel_range` is None if the pixels decide; then `guess` is tried first. `reference` is what the
    file must match.
    """

    pixel_range: PixelRange | None = None
    guess: PixelRange = BYTES
    reference: DataSpec | None = None

    def key(self) -> list[Any]:
        """Return what changes the parsed file, as plain values."""
        reference = self.reference
        decided = None if reference is None else (reference.pixel_range, reference.label_values)
        return [self.pixel_range, decided]

    @property
    def reference_range(self) -> PixelRange | None:
        """The range of the pixels of the training file, if it is known."""
        return None if self.reference is None else self.reference.pixel_range

    @property
    def label_kind(self) -> LabelKind | None:
        """The kind of the labels; None if the labels decide."""
        return None if self.reference is None else kind_of(self.reference.label_values)


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


def parse_into_memory(source: Source, columns: Columns, settings: ParseSettings) -> ParsedFile:
    """Return a parsed file; raises DataError with all errors of the file."""
    target = io.BytesIO()
    parsed = parse_images(source, columns, settings, target)
    images = np.frombuffer(target.getbuffer(), np.uint8).reshape(-1, *columns.image_shape)
    return replace(parsed, images=images)


def parse_images(
    source: Source, columns: Columns, settings: ParseSettings, target: BinaryIO
) -> ParsedFile:
    """Write the images of a file to `target`; return the parsed file with no images in it.

    Raises DataError with all errors of the file, or if the file changes while it is read.
    """
    before = source.state()
    with ThreadPoolExecutor(1) as executor:
        sha256 = executor.submit(source.sha256)
        parsed = parse_twice(source, columns, settings, target)
    if source.state() != before:
        raise DataError(f"{source}: changed while it was read; start again when it is complete")
    return replace(parsed, sha256=sha256.result())


def parse_twice(
    source: Source, columns: Columns, settings: ParseSettings, target: BinaryIO
) -> ParsedFile:
    """Parse with a guess of the range of the pixels; again, if all pixels decide otherwise."""
    guess = settings.pixel_range or settings.guess
    start = target.tell()
    rows = parse_rows(source, columns, CellTypes(), guess, target, settings.reference_range)
    kind = settings.label_kind or decide_label_kind(rows.label_counts)
    try:
        decided = settings.pixel_range or decide_range(rows.stats)
    except AmbiguousRangeError as error:
        rows.errors.add(str(error))
        raise DataError(rows.errors.messages()) from error
    types = CellTypes(decided, kind)
    if decided != guess or not rows.is_complete or not is_valid(rows, types):
        target.seek(start)
        target.truncate()
        rows = parse_rows(source, columns, types, decided, target)
    notices = range_notices(rows.stats, decided, settings.pixel_range is None)
    return finish(source, columns, rows, types, notices)


def is_valid(rows: Rows, types: CellTypes) -> bool:
    """Return whether all cells are of the types that they decided."""
    assert types.pixel_range is not None
    low, high = types.pixel_range
    if rows.stats.count and not (low <= rows.stats.minimum and rows.stats.maximum <= high):
        return False
    if rows.has_booleans and types.pixel_range != UNIT:
        return False
    return not any(label_error(text, types) for text in rows.label_counts)


def parse_rows(
    source: Source,
    columns: Columns,
    types: CellTypes,
    pixel_range: PixelRange,
    target: BinaryIO,
    reference: PixelRange | None = None,
) -> Rows:
    """Write the images of a file to `target`, scaled from `pixel_range`; return the rest.

    If pixels are out of the range, no more images are written, and the result is not complete.
    Raises DataError with all errors of the file if `types` are decided.
    """
    errors = ErrorCollector(source.path)
    rows = Rows(PixelStats(reference), errors)
    count = 0
    for chunk in prefetch(parsed_chunks(source, columns, types, errors, pixel_range == BYTES)):
        count += len(chunk.pixels)
        rows.stats.add(chunk.pixels)
        rows.has_booleans = rows.has_booleans or chunk.has_booleans
        rows.add_labels(chunk.labels)
        rows.ids += chunk.ids
        rows.splits += chunk.splits
        write_images(rows, columns, chunk, pixel_range, target)
        if errors.count > errors.MAX_COUNTED:
            break
    if types.pixel_range is not None:
        errors.raise_if_any()
    rows.is_complete = rows.is_complete and not errors.count
    if not count and not errors.count:
        below = " below the header" if columns.has_header else ""
        raise DataError(f"{source}: there are no rows{below}; add one row per image")
    return rows


def parsed_chunks(
    source: Source, columns: Columns, types: CellTypes, errors: ErrorCollector, as_bytes: bool
) -> Iterator[ParsedChunk]:
    """Yield the parsed chunks of a file; damage to the file is one of the collected errors."""
    try:
        for chunk in source.chunks():
            yield parse_chunk(chunk, columns, types, errors, as_bytes)
    except DataError:
        raise
    except READ_ERRORS as error:
        errors.add(f"cannot be read to the end: {first_line(error)}")


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


def finish(
    source: Source, columns: Columns, rows: Rows, types: CellTypes, notices: list[str]
) -> ParsedFile:
    """Return the parsed file; labels get the numbers of their ascending order."""
    assert types.pixel_range is not None
    assert types.labels is not None
    found = [parse_label(text, types.labels) for text in rows.label_counts]
    label_values = sorted(set(found))
    position = {value: index for index, value in enumerate(label_values)}
    sorted_index = np.array([position[value] for value in found], dtype=np.int64)
    labels = np.concatenate(rows.label_index) if rows.label_index else np.empty(0, np.int64)
    return ParsedFile(
        images=np.empty((0, *columns.image_shape), dtype=np.uint8),
        labels=sorted_index[labels] if columns.has_labels else None,
        hashes=np.concatenate(rows.hashes),
        constant=np.concatenate(rows.constant),
        label_values=label_values,
        pixel_range=types.pixel_range,
        sha256="",
        ids=rows.ids if columns.ids is not None else None,
        split=parse_splits(source, columns, rows.splits),
        notices=notices,
    )


def parse_splits(source: Source, columns: Columns, words: list[str]) -> list[str] | None:
    """Return the split of each row; raises DataError naming the first unknown word."""
    if columns.split is None:
        return None
    splits = [SPLIT_WORDS.get(word.lower()) for word in words]
    if None in splits:
        row = splits.index(None)
        raise DataError(
            f"{source}, row {row}, column {columns.name_of(columns.split)}: {words[row]!r} is not "
            "train, val or test; correct it or leave out the column by data.ignore"
        )
    return [split for split in splits if split is not None]


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

"""Parse a whole file into arrays: images are written while they are parsed, labels are indices.

Shapes: N rows, C channels, H height, W width.
"""

import io
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import BinaryIO, TypeVar

import numpy as np

from csvision.config.pixel_range import PixelRange
from csvision.data.columns import Columns
from csvision.data.label_kind import LabelKind, decide_label_kind, parse_label
from csvision.data.names import SPLIT_WORDS
from csvision.data.packing import READ_ERRORS
from csvision.data.parse_chunk import ParsedChunk, parse_chunk
from csvision.data.parse_strict import CellTypes, ErrorCollector, label_error
from csvision.data.parsed_file import ParsedFile, ParseSettings
from csvision.data.parsed_rows import KeptRows, Rows, RowTarget, scale_images
from csvision.data.pixel_range import (
    BYTES,
    UNIT,
    AmbiguousRangeError,
    PixelStats,
    decide_range,
    range_notices,
)
from csvision.data.source import Source
from csvision.errors import DataError, first_line

Item = TypeVar("Item")


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
    kept = KeptRows(target)
    with ThreadPoolExecutor(1) as executor:
        sha256 = executor.submit(source.sha256)
        types, notices = parse_to(source, columns, settings, kept)
    parsed = finish(source, columns, kept, types, notices)
    return replace(parsed, sha256=sha256.result())


def parse_to(
    source: Source, columns: Columns, settings: ParseSettings, target: RowTarget
) -> tuple[CellTypes, list[str]]:
    """Give the rows of a file to `target`; return the decided types, and what to report.

    The target may get rows of an invalid file before DataError is raised with all of its errors, or
    because the file changes while it is read.
    """
    before = source.state()
    decided = parse_twice(source, columns, settings, target)
    if source.state() != before:
        raise DataError(f"{source}: changed while it was read; start again when it is complete")
    return decided


def parse_twice(
    source: Source, columns: Columns, settings: ParseSettings, target: RowTarget
) -> tuple[CellTypes, list[str]]:
    """Parse with a guess of the range of the pixels; again, if all pixels decide otherwise."""
    guess = settings.pixel_range or settings.guess
    unchecked = None if settings.check_labels else LabelKind.unchecked
    types = CellTypes(labels=unchecked)
    rows = parse_rows(source, columns, types, guess, target, settings.reference_range)
    kind = settings.label_kind or decide_label_kind(rows.label_counts)
    try:
        decided = settings.pixel_range or decide_range(rows.stats)
    except AmbiguousRangeError as error:
        rows.errors.add(str(error))
        raise DataError(rows.errors.messages()) from error
    types = CellTypes(decided, kind)
    if decided != guess or not rows.is_complete or not is_valid(rows, types):
        target.restart()
        rows = parse_rows(source, columns, types, decided, target)
    return types, range_notices(rows.stats, decided, settings.pixel_range is None)


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
    target: RowTarget,
    reference: PixelRange | None = None,
) -> Rows:
    """Give the rows of a file to `target`, scaled from `pixel_range`; return what they decide.

    After an error or a pixel out of the range, it gets no more rows, and the result is not
    complete.
    Raises DataError with all errors of the file if `types` are decided.
    """
    errors = ErrorCollector(source.path)
    rows = Rows(PixelStats(reference), errors)
    for chunk in prefetch(parsed_chunks(source, columns, types, errors, pixel_range == BYTES)):
        rows.stats.add(chunk.pixels)
        rows.has_booleans = rows.has_booleans or chunk.has_booleans
        rows.label_counts.update(chunk.labels)
        rows.is_complete = rows.is_complete and not errors.count
        if rows.is_complete and chunk.pixels.size:
            images = scale_images(columns, chunk, pixel_range)
            if images is None:
                rows.is_complete = False
            else:
                target.add(images, chunk)
        if errors.count > errors.MAX_COUNTED:
            break
    if types.pixel_range is not None:
        errors.raise_if_any()
    rows.is_complete = rows.is_complete and not errors.count
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


def finish(
    source: Source, columns: Columns, rows: KeptRows, types: CellTypes, notices: list[str]
) -> ParsedFile:
    """Return the parsed file; labels get the numbers of their ascending order."""
    assert types.pixel_range is not None
    assert types.labels is not None
    found = [parse_label(text, types.labels) for text in rows.label_numbers]
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

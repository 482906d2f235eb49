"""Parse the chunks of a file into cells, one after the other and in little memory.

The fast parser tries each chunk first. If it fails, the strict parser reads the chunk cell by cell,
decides whether it is valid and reports the errors.

Shapes: N rows, P pixels per row.
"""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import polars
from numpy.typing import NDArray

from csvision.data.chunks import Chunk, ColumnTypes
from csvision.data.columns import Columns
from csvision.data.label_kind import LabelKind
from csvision.data.parse_strict import (
    CellTypes,
    ErrorCollector,
    label_error,
    parse_rows_strict,
)
from csvision.data.pixel_range import BYTES, UNIT


@dataclass
class ParsedChunk:
    """Consecutive rows of a file: pixels (N, P) as numbers or bytes, labels, ids and splits."""

    pixels: NDArray[Any]
    labels: list[str] = field(default_factory=list)
    ids: list[str] = field(default_factory=list)
    splits: list[str] = field(default_factory=list)
    has_booleans: bool = False


def parse_chunk(
    chunk: Chunk, columns: Columns, types: CellTypes, errors: ErrorCollector, as_bytes: bool
) -> ParsedChunk:
    """Return the valid rows of a chunk; collect the errors of the others.

    With `as_bytes`, whole numbers from 0 to 255 are tried first, which is fastest.
    """
    pixel_types = [polars.Float64, polars.Boolean]
    if as_bytes:
        pixel_types.insert(0, polars.UInt8)
    for pixel_type in pixel_types:
        # Blank lines are rare, and finding them takes long.
        parsed = parse_fast(chunk, columns, types, pixel_type) or parse_fast(
            chunk.without_blank_lines(), columns, types, pixel_type
        )
        if parsed is not None:
            return parsed
    cells = parse_rows_strict(chunk.rows(), columns, types, errors)
    return ParsedChunk(cells.pixels, cells.labels, cells.ids, cells.splits, cells.has_booleans)


def parse_fast(
    chunk: Chunk, columns: Columns, types: CellTypes, pixel_type: Any
) -> ParsedChunk | None:
    """Parse a chunk with polars; return None if anything in it may be invalid."""
    names = [f"column {index}" for index in range(len(columns.names))]
    column_types: ColumnTypes = dict.fromkeys(names, polars.String)
    column_types |= {names[index]: pixel_type for index in columns.pixels}
    try:
        frame = chunk.to_frame(names, column_types)
    except polars.exceptions.PolarsError:
        return None
    labels = read_labels(frame, columns, types)
    pixels = read_pixels(frame[:, list(columns.pixels)], types)
    if labels is None or pixels is None:
        return None
    ids, splits = (
        [] if index is None else [(cell or "").strip() for cell in frame.to_series(index)]
        for index in (columns.ids, columns.split)
    )
    return ParsedChunk(pixels, labels, ids, splits, pixel_type == polars.Boolean)


def read_labels(frame: polars.DataFrame, columns: Columns, types: CellTypes) -> list[str] | None:
    """Return the labels of a frame; None if one is missing or not of its type."""
    if columns.one_hot:
        return read_one_hot(frame, columns)
    if columns.label is None:
        return []
    series = frame.to_series(columns.label)
    if types.labels is LabelKind.unchecked:
        return [(cell or "").strip() for cell in series]
    unique = series.unique()
    if unique.null_count() or any(label_error(cell, types) for cell in unique):
        return None
    return [cell.strip() for cell in series]


def read_one_hot(frame: polars.DataFrame, columns: Columns) -> list[str] | None:
    """Return the names of the columns that are 1; None unless there is exactly one in each row."""
    cells = frame[:, list(columns.one_hot)].cast(polars.Float64, strict=False)
    values = cells.to_numpy()
    if not (np.isin(values, (0, 1)).all() and (values.sum(axis=1) == 1).all()):
        return None
    names = [columns.names[index].strip() for index in columns.one_hot]
    return [names[index] for index in values.argmax(axis=1)]


def read_pixels(frame: polars.DataFrame, types: CellTypes) -> NDArray[Any] | None:
    """Return the pixels of a frame (N, P); None if one is missing or out of range."""
    if any(column.null_count() for column in frame.get_columns()):
        return None
    values = frame.to_numpy()
    if values.dtype == np.bool_:
        return values.astype(np.uint8) if types.pixel_range in (None, UNIT) else None
    if values.dtype == np.uint8 and types.pixel_range in (None, BYTES):
        return np.ascontiguousarray(values)
    if types.pixel_range is not None:
        low, high = types.pixel_range
        if not ((values >= low) & (values <= high)).all():
            return None
    elif values.dtype != np.uint8 and not np.isfinite(values).all():
        return None
    return np.ascontiguousarray(values)

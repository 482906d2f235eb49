"""Parse the chunks of a file into pixels and labels, one after the other and in little memory.

The fast parser tries each chunk first. If it fails, the strict parser reads the chunk cell by cell,
decides whether it is valid and reports the errors.

Shapes: N rows, P pixels per row.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np
import polars
from numpy.typing import NDArray

from csvision.data.chunks import Chunk, ColumnTypes
from csvision.data.columns import Columns
from csvision.data.parse_strict import (
    CellTypes,
    ErrorCollector,
    is_integer,
    is_text,
    parse_float,
    parse_rows_strict,
)
from csvision.data.source import READ_ERRORS, DataFile, read_chunks
from csvision.errors import DataError, first_line

SAMPLED_ROWS = 10


@dataclass(frozen=True)
class ParsedChunk:
    """Consecutive rows of a file: pixels (N, P) from 0 to 255, labels as text or None."""

    pixels: NDArray[np.uint8]
    labels: list[str] | None


def iter_parsed_chunks(file: DataFile, columns: Columns) -> Iterator[tuple[CellTypes, ParsedChunk]]:
    """Yield the chunks of a file with the types of its cells, which are the same for all chunks.

    Raises DataError with all errors of the file.
    """
    errors = ErrorCollector(file.path)
    types: CellTypes | None = None
    rows = 0
    try:
        for chunk in read_chunks(file):
            types = types or infer_cell_types(file.path, chunk, columns)
            parsed = (
                parse_fast(chunk, columns, types)
                or parse_fast(chunk.without_blank_lines(), columns, types)
                or ParsedChunk(*parse_rows_strict(chunk.rows(), columns, types, errors))
            )
            rows += len(parsed.pixels)
            if len(parsed.pixels) and not errors.count:
                yield types, parsed
            if errors.count > errors.MAX_COUNTED:
                break
    except READ_ERRORS as error:
        errors.add(f"cannot be read to the end: {first_line(error)}")
    errors.raise_if_any()
    if not rows:
        raise DataError(f"{file}: there are no rows below the header; add one row per image")


def infer_cell_types(path: Path, chunk: Chunk, columns: Columns) -> CellTypes:
    """Return the types of the cells of a file, inferred from its first rows.

    Pixels are in 0..1 if none is larger and some are not integers. Labels are integers unless the
    first one is text. Raises DataError if a pixel column contains text.
    """
    rows = islice(chunk.rows(), SAMPLED_ROWS)
    sample = [cells for _, cells in rows if isinstance(cells, list)]
    label = columns.label_index
    check_no_text_columns(path, sample, columns)
    labels = [cells[label] for cells in sample if label is not None and label < len(cells)]
    pixels = [
        (cell, value)
        for cells in sample
        for index, cell in enumerate(cells)
        if index != label and (value := parse_float(cell)) is not None
    ]
    unit_range = all(0 <= value <= 1 for _, value in pixels) and any(
        not is_integer(cell) for cell, _ in pixels
    )
    return CellTypes(
        pixels_are_unit_range=unit_range, integer_labels=not labels or not is_text(labels[0])
    )


def check_no_text_columns(path: Path, sample: list[list[str]], columns: Columns) -> None:
    """Raise DataError if a column other than the label contains text: it may be the label."""
    complete = [cells for cells in sample if len(cells) == len(columns.names)]
    for index, name in enumerate(columns.names):
        texts = [cells[index] for cells in complete if is_text(cells[index])]
        if len(texts) > 1 and len(texts) == len(complete) and index != columns.label_index:
            raise DataError(
                f"{path}, column {name}: {texts[0]!r} is text; set data.label_column={name} if "
                "this is the label, else remove the column"
            )


def parse_fast(chunk: Chunk, columns: Columns, types: CellTypes) -> ParsedChunk | None:
    """Parse a chunk with polars; return None if anything in it may be invalid."""
    names = [f"column {index}" for index in range(len(columns.names))]
    pixel_type = polars.Float64 if types.pixels_are_unit_range else polars.UInt8
    column_types: ColumnTypes = dict.fromkeys(names, pixel_type)
    if columns.label_index is not None:
        column_types[names[columns.label_index]] = polars.String
    try:
        frame = chunk.to_frame(names, column_types)
    except polars.exceptions.PolarsError:
        return None
    if any(column.null_count() for column in frame.get_columns()):
        return None
    labels = None
    if columns.label_index is not None:
        labels = parse_labels_fast(frame.drop_in_place(names[columns.label_index]), types)
        if labels is None:
            return None
    pixels = parse_pixels_fast(frame, types)
    return None if pixels is None else ParsedChunk(pixels, labels)


def parse_labels_fast(cells: polars.Series, types: CellTypes) -> list[str] | None:
    """Return the labels in a column; None if one is missing or not of its type."""
    # The strict parser accepts the same white space around a number.
    numbers = cells.str.strip_chars(" \t\n\r\f\v").cast(polars.Int64, strict=False)
    if types.integer_labels and numbers.null_count():
        return None
    labels = [cell.strip() for cell in cells]
    return None if "" in labels else labels


def parse_pixels_fast(frame: polars.DataFrame, types: CellTypes) -> NDArray[np.uint8] | None:
    """Return the pixels of a frame (N, P) from 0 to 255; None if one is out of range."""
    values = frame.to_numpy()
    if types.pixels_are_unit_range:
        if not ((values >= 0) & (values <= 1)).all():
            return None
        values = np.rint(values * 255).astype(np.uint8)
    return np.ascontiguousarray(values)

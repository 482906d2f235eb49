"""From pieces of a file to blocks of pixels and labels, in one stream and little memory.

A quick parser takes each piece; what it refuses is read again cell by cell by `validation`, which
decides, and says what is wrong.

Shapes: N rows, P pixels a row.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np
import polars
from numpy.typing import NDArray

from csvision.data.columns import Columns
from csvision.data.pieces import Piece, Types
from csvision.data.source import READ_ERRORS, ImageFile, first_line, read_pieces
from csvision.data.validation import Faults, Kind, is_integer, is_word, number, read_rows
from csvision.errors import DataError

SAMPLED_ROWS = 10


@dataclass(frozen=True)
class Block:
    """Consecutive rows of a file: pixels (N, P) from 0 to 255, labels as text, if there are any."""

    pixels: NDArray[np.uint8]
    labels: list[str] | None


def read_blocks(file: ImageFile, columns: Columns) -> Iterator[tuple[Kind, Block]]:
    """The rows of a file in blocks, with the kind of its cells, which is the same for all.

    Raises DataError with the faults of the whole file.
    """
    faults = Faults(file.path)
    kind: Kind | None = None
    rows = 0
    try:
        for piece in read_pieces(file):
            kind = kind or detect_kind(file.path, piece, columns)
            block = (
                quick_block(piece, columns, kind)
                or quick_block(piece.without_blank_lines(), columns, kind)
                or careful_block(piece, columns, kind, faults)
            )
            rows += len(block.pixels)
            if len(block.pixels) and not faults.count:
                yield kind, block
            if faults.count > faults.MOST_COUNTED:
                break
    except READ_ERRORS as error:
        faults.add(f"cannot be read to its end: {first_line(error)}")
    faults.raise_if_any()
    if not rows:
        raise DataError(f"{file} has a header and no rows")


def detect_kind(path: Path, piece: Piece, columns: Columns) -> Kind:
    """What the cells of a file are, told by its first rows; raises DataError for a column of words.

    Pixels are shares from 0 to 1 when none is larger and some are written with a point; labels are
    whole numbers unless the first one is a word.
    """
    rows = islice(piece.rows(), SAMPLED_ROWS)
    sample = [cells for _, cells in rows if isinstance(cells, list)]
    label = columns.label
    refuse_text_columns(path, sample, columns)
    labels = [cells[label] for cells in sample if label is not None and label < len(cells)]
    pixels = [
        (cell, value)
        for cells in sample
        for index, cell in enumerate(cells)
        if index != label and (value := number(cell)) is not None
    ]
    unit = all(0 <= value <= 1 for _, value in pixels) and any(
        not is_integer(cell) for cell, _ in pixels
    )
    return Kind(unit_pixels=unit, integer_labels=not labels or not is_word(labels[0]))


def refuse_text_columns(path: Path, sample: list[list[str]], columns: Columns) -> None:
    """Raise DataError for a column of words that is not the label: it may well be the label."""
    whole = [cells for cells in sample if len(cells) == len(columns.names)]
    for index, name in enumerate(columns.names):
        words = [cells[index] for cells in whole if is_word(cells[index])]
        if len(words) > 1 and len(words) == len(whole) and index != columns.label:
            raise DataError(
                f"{path}: column {name} holds text such as {words[0]!r}; if it is the label, write "
                f"data.label={name}, else take it out of the file"
            )


def quick_block(piece: Piece, columns: Columns, kind: Kind) -> Block | None:
    """A piece through the quick parser; None where that finds anything amiss."""
    names = [f"column {index}" for index in range(len(columns.names))]
    pixel_type = polars.Float64 if kind.unit_pixels else polars.UInt8
    types: Types = dict.fromkeys(names, pixel_type)
    if columns.label is not None:
        types[names[columns.label]] = polars.String
    try:
        table = piece.table(names, types)
    except polars.exceptions.PolarsError:
        return None
    if any(column.null_count() for column in table.get_columns()):
        return None
    labels = None
    if columns.label is not None:
        labels = quick_labels(table.drop_in_place(names[columns.label]), kind)
        if labels is None:
            return None
    pixels = quick_pixels(table, kind)
    return None if pixels is None else Block(pixels, labels)


def quick_labels(cells: polars.Series, kind: Kind) -> list[str] | None:
    """The labels in a column; None where one is missing or no number though it should be one."""
    # The same spaces as `validation` lets stand around a number.
    numbers = cells.str.strip_chars(" \t\n\r\f\v").cast(polars.Int64, strict=False)
    if kind.integer_labels and numbers.null_count():
        return None
    labels = [cell.strip() for cell in cells]
    return None if "" in labels else labels


def quick_pixels(table: polars.DataFrame, kind: Kind) -> NDArray[np.uint8] | None:
    """The pixels of a table as 0 to 255; None where one is out of range."""
    values = table.to_numpy()
    if kind.unit_pixels:
        if not ((values >= 0) & (values <= 1)).all():
            return None
        values = np.rint(values * 255).astype(np.uint8)
    return np.ascontiguousarray(values)


def careful_block(piece: Piece, columns: Columns, kind: Kind, faults: Faults) -> Block:
    """A piece cell by cell; what is wrong goes to `faults`."""
    pixels, labels = read_rows(piece.rows(), columns, kind, faults)
    return Block(pixels, labels if columns.label is not None else None)

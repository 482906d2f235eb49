"""Parse rows cell by cell and report every error: slow, used where the fast parser fails.

Shapes: N rows, P pixels per row.
"""

import csv
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from reprlib import repr as shorten

import numpy as np
from numpy.typing import NDArray

from csvision.config.pixel_range import PixelRange
from csvision.data.cells import (
    encoding_error,
    is_boolean,
    is_missing,
    missing_value_error,
    parse_float,
    parse_whole,
)
from csvision.data.chunks import Row
from csvision.data.columns import Columns
from csvision.data.label_kind import LabelKind
from csvision.data.pixel_range import UNIT
from csvision.errors import DataError

PLAIN_PIXELS = {str(value): float(value) for value in range(256)}


@dataclass(frozen=True)
class CellTypes:
    """The types of the cells of a file: the range of pixels, integer or text labels.

    None is a type that has not been decided: every number or text is valid.
    """

    pixel_range: PixelRange | None = None
    labels: LabelKind | None = None


@dataclass
class Cells:
    """The cells of rows: pixels (N, P) as numbers, and for each row its label, id and split.

    A file without such a column has an empty list.
    """

    pixels: NDArray[np.float64]
    labels: list[str] = field(default_factory=list)
    ids: list[str] = field(default_factory=list)
    splits: list[str] = field(default_factory=list)
    has_booleans: bool = False


class ErrorCollector:
    """Collects the errors of one file: the first ones in full, the others as a count."""

    MAX_SHOWN = 20
    MAX_COUNTED = 10_000
    MANY_LENGTHS = 3

    def __init__(self, path: Path) -> None:
        self.path = path
        self.shown: list[str] = []
        self.count = 0
        self.row_lengths: set[int] = set()

    def add(self, message: str, location: str = "") -> None:
        """Add one error and its location in the file."""
        self.count += 1
        if self.count <= self.MAX_SHOWN:
            where = f"{self.path}, {location}" if location else str(self.path)
            self.shown.append(f"{where}: {message}")

    def messages(self) -> list[str]:
        """Return one line per error that is shown, one for all others, and one with advice."""
        lines = list(self.shown)
        more = self.count - len(self.shown)
        if self.count > self.MAX_COUNTED:
            lines.append(f"{self.path}: more than {more} more errors; reading stopped")
        elif more > 0:
            lines.append(f"{self.path}: {more} more errors")
        if len(self.row_lengths) >= self.MANY_LENGTHS:
            lines.append(
                f"{self.path}: rows have {min(self.row_lengths)} to {max(self.row_lengths)} cells; "
                "if images have unequal sizes, pad all of them to one size"
            )
        return lines

    def raise_if_any(self) -> None:
        """Raise DataError if an error was added."""
        if self.count:
            raise DataError(self.messages())


def parse_rows_strict(
    rows: Iterator[Row], columns: Columns, types: CellTypes, errors: ErrorCollector
) -> Cells:
    """Return the cells of the valid rows; collect the errors of the others."""
    pixels: list[list[float]] = []
    parsed = Cells(np.empty((0, columns.num_pixels)))
    for location, cells in rows:
        count_before = errors.count
        if isinstance(cells, csv.Error):
            errors.add(f"invalid quotes: {cells}", location)
            continue
        if len(cells) != len(columns.names):
            errors.row_lengths.add(len(cells))
            expected = "the header has" if columns.has_header else "the first line has"
            errors.add(f"{len(cells)} cells, but {expected} {len(columns.names)}", location)
            continue
        values = []
        for index in sorted((*columns.pixels, *label_columns(columns))):
            cell = cells[index]
            if index == columns.label:
                error = label_error(cell, types)
            else:
                error, value = parse_pixel(cell, types)
                values.append(value)
                parsed.has_booleans = parsed.has_booleans or is_boolean(cell)
            if error:
                name = columns.name_of(index)
                errors.add(f"{shorten(cell)} {error}", f"{location}, column {name}")
        is_checked = types.labels is not LabelKind.unchecked
        if columns.one_hot and is_checked and one_hot_label(cells, columns) is None:
            errors.add("not exactly one label column is 1", location)
        if errors.count == count_before:
            pixels.append(values)
            add_other_cells(parsed, cells, columns)
    if pixels:
        parsed.pixels = np.array(pixels)[:, file_to_image_order(columns)]
    return parsed


def label_columns(columns: Columns) -> tuple[int, ...]:
    """Return the index of the label column, if there is one."""
    return () if columns.label is None else (columns.label,)


def file_to_image_order(columns: Columns) -> NDArray[np.int64]:
    """Return the position in the file, among pixel columns, of each pixel of the image."""
    return np.argsort(np.argsort(np.array(columns.pixels)))


def add_other_cells(parsed: Cells, cells: list[str], columns: Columns) -> None:
    """Add label, id and split of a valid row."""
    if columns.label is not None:
        parsed.labels.append(cells[columns.label].strip())
    elif columns.one_hot:
        parsed.labels.append(one_hot_label(cells, columns) or "")
    if columns.ids is not None:
        parsed.ids.append(cells[columns.ids].strip())
    if columns.split is not None:
        parsed.splits.append(cells[columns.split].strip())


def one_hot_label(cells: list[str], columns: Columns) -> str | None:
    """Return the name of the only one-hot column that is 1; None if there is no such column."""
    values = [parse_float(cells[index]) for index in columns.one_hot]
    if values.count(1.0) != 1 or values.count(0.0) != len(values) - 1:
        return None
    return columns.names[columns.one_hot[values.index(1.0)]].strip()


def label_error(cell: str, types: CellTypes) -> str:
    """Return what is wrong with a label; an empty string if it is valid."""
    if types.labels is LabelKind.unchecked:
        return ""
    if types.labels is not LabelKind.integers:
        return encoding_error(cell)
    if error := missing_value_error(cell):
        return error
    value = parse_whole(cell.strip())
    if value is None:
        return "is not an integer label"
    return "" if -(2**63) <= value < 2**63 else "is too large for a label of 64 bits"


def parse_pixel(cell: str, types: CellTypes) -> tuple[str, float]:
    """Return what is wrong with a pixel, an empty string if it is valid, and its value."""
    value = PLAIN_PIXELS.get(cell)
    if value is None:
        if is_missing(cell):
            return "is missing", 0.0
        if error := encoding_error(cell):
            return error, 0.0
        value = parse_float(cell)
        if value is None or (is_boolean(cell) and types.pixel_range not in (None, UNIT)):
            return f"is not a number{decimal_comma_hint(cell)}", 0.0
    if types.pixel_range is not None:
        low, high = types.pixel_range
        if not low <= value <= high:
            return f"is outside {low:g}..{high:g}", 0.0
    return "", value


def decimal_comma_hint(cell: str) -> str:
    """Return a hint for a number with a comma in the place of the decimal point."""
    if cell.count(",") == 1 and parse_float(cell.replace(",", ".")) is not None:
        return "; write decimals with a point"
    return ""

"""Parse rows cell by cell and report every error: slow, used where the fast parser fails.

Shapes: N rows, P pixels per row.
"""

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from reprlib import repr as shorten

import numpy as np
from numpy.typing import NDArray

from csvision.data.chunks import Row
from csvision.data.columns import Columns
from csvision.errors import DataError

INTEGER = re.compile(r"\s*([-+]?)0*([0-9]+)\s*", re.ASCII)
NUMBER = re.compile(r"\s*[-+]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][-+]?[0-9]+)?\s*", re.ASCII)
MISSING_VALUES = ("", "nan", "na", "null", "none")
MAX_INT_DIGITS = 4000
PLAIN_PIXELS = frozenset(map(str, range(256)))


@dataclass(frozen=True)
class CellTypes:
    """The types of the cells of a file: pixels in 0..1 or 0..255, labels integers or text."""

    pixels_are_unit_range: bool
    integer_labels: bool


class ErrorCollector:
    """Collects the errors of one file: the first ones in full, the others as a count."""

    MAX_SHOWN = 20
    MAX_COUNTED = 10_000

    def __init__(self, path: Path) -> None:
        self.path = path
        self.shown: list[str] = []
        self.count = 0

    def add(self, message: str, location: str = "") -> None:
        """Add one error and its location in the file."""
        self.count += 1
        if self.count <= self.MAX_SHOWN:
            where = f"{self.path}, {location}" if location else str(self.path)
            self.shown.append(f"{where}: {message}")

    def raise_if_any(self) -> None:
        """Raise DataError if an error was added."""
        more = self.count - len(self.shown)
        if self.count > self.MAX_COUNTED:
            self.shown.append(f"{self.path}: more than {more} more errors; reading stopped")
        elif more > 0:
            self.shown.append(f"{self.path}: {more} more errors")
        if self.shown:
            raise DataError(self.shown)


def parse_rows_strict(
    rows: Iterator[Row], columns: Columns, types: CellTypes, errors: ErrorCollector
) -> tuple[NDArray[np.uint8], list[str] | None]:
    """Return pixels (N, P) from 0 to 255 and labels of the valid rows; collect errors of the rest.

    Labels are None for a file without labels.
    """
    pixels: list[list[int]] = []
    labels: list[str] = []
    for location, cells in rows:
        count_before = errors.count
        if isinstance(cells, csv.Error):
            errors.add(f"invalid quotes: {cells}", location)
            continue
        if len(cells) != len(columns.names):
            errors.add(f"{len(cells)} cells, but the header has {len(columns.names)}", location)
            continue
        values = []
        for index, cell in enumerate(cells):
            is_label = index == columns.label_index
            error = label_error(cell, types) if is_label else pixel_error(cell, types)
            if not error and not is_label:
                # numpy and Python both round a half to the nearest even integer.
                values.append(round(float(cell) * (255 if types.pixels_are_unit_range else 1)))
            if error:
                name = column_name(columns, index)
                errors.add(f"{shorten(cell)} {error}", f"{location}, column {name}")
        if errors.count == count_before:
            pixels.append(values)
            if columns.label_index is not None:
                labels.append(cells[columns.label_index].strip())
    array = np.array(pixels, dtype=np.uint8).reshape(-1, columns.num_pixels)
    return array, None if columns.label_index is None else labels


def column_name(columns: Columns, index: int) -> str:
    """Return the name of a column; its number, counted from 1, if the name is not printable."""
    name = columns.names[index].strip()
    return name if name and name.isprintable() else str(index + 1)


def label_error(cell: str, types: CellTypes) -> str:
    """Return what is wrong with a label; an empty string if it is valid."""
    if not types.integer_labels:
        return text_error(cell)
    if error := missing_value_error(cell):
        return error
    match = INTEGER.fullmatch(cell)
    if match is None:
        return "is not an integer label"
    # 64 bits hold at most 19 digits, and Python refuses to parse thousands of digits.
    too_large = len(match[2]) > 20 or not -(2**63) <= int(match[1] + match[2]) < 2**63
    return "is too large for a label of 64 bits" if too_large else ""


def pixel_error(cell: str, types: CellTypes) -> str:
    """Return what is wrong with a pixel; an empty string if it is valid."""
    if cell in PLAIN_PIXELS and not types.pixels_are_unit_range:
        return ""
    if error := missing_value_error(cell):
        return error
    value = parse_float(cell)
    if value is None:
        return "is not a number"
    if types.pixels_are_unit_range:
        return "" if 0 <= value <= 1 else "is outside 0..1, the pixel range of the first rows"
    if not 0 <= value <= 255:
        return "is outside 0..255"
    return "" if value == int(value) else "is not an integer in 0..255"


def missing_value_error(cell: str) -> str:
    """Return an error if a cell is missing or not valid UTF-8; else an empty string."""
    return "is missing" if cell.strip().lower() in MISSING_VALUES else text_error(cell)


def text_error(cell: str) -> str:
    """Return an error if a cell is empty or not valid UTF-8; else an empty string."""
    if not cell.strip():
        return "is missing"
    try:
        cell.encode()
    except UnicodeEncodeError:
        return "is not valid UTF-8"
    return ""


def parse_int(cell: str) -> int:
    """Return the integer in a cell, even if it has more leading zeros than Python accepts."""
    if len(cell) < MAX_INT_DIGITS:
        return int(cell)
    match = INTEGER.fullmatch(cell)
    assert match is not None
    return int(match[1] + match[2])


def parse_float(cell: str) -> float | None:
    """Return the number in a cell; None if it does not contain one."""
    return float(cell) if NUMBER.fullmatch(cell) else None


def is_integer(cell: str) -> bool:
    """Return whether a cell contains an integer without a decimal point."""
    return INTEGER.fullmatch(cell) is not None


def is_text(cell: str) -> bool:
    """Return whether a cell contains text: neither a number nor a missing value."""
    return parse_float(cell) is None and not missing_value_error(cell)

"""What is right and wrong in a file of images, cell by cell: slow, and only run where need be."""

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from reprlib import repr as shortened

import numpy as np
from numpy.typing import NDArray

from csvision.data.columns import Columns
from csvision.data.pieces import Row
from csvision.errors import DataError

INTEGER = re.compile(r"\s*([-+]?)0*([0-9]+)\s*", re.ASCII)
NUMBER = re.compile(r"\s*[-+]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][-+]?[0-9]+)?\s*", re.ASCII)
MISSING = ("", "nan", "na", "null", "none")
LONGEST_INT = 4000
PLAIN_PIXELS = frozenset(map(str, range(256)))


@dataclass(frozen=True)
class Kind:
    """What the cells of a file are: pixels 0 to 1 instead of 0 to 255, labels numbers or text."""

    unit_pixels: bool
    integer_labels: bool


class Faults:
    """The faults of one file: the first ones in full, the others counted."""

    SHOWN = 20
    MOST_COUNTED = 10_000

    def __init__(self, path: Path) -> None:
        self.path = path
        self.shown: list[str] = []
        self.count = 0

    def add(self, fault: str) -> None:
        """Note one fault, which begins with its place in the file."""
        self.count += 1
        if self.count <= self.SHOWN:
            self.shown.append(f"{self.path}, {fault}")

    def raise_if_any(self) -> None:
        """Raise DataError when there was a fault."""
        more = self.count - len(self.shown)
        if self.count > self.MOST_COUNTED:
            self.shown.append(f"{self.path}: and more than {more} more faults; not read further")
        elif more > 0:
            self.shown.append(f"{self.path}: and {more} more faults")
        if self.shown:
            raise DataError(self.shown)


def read_rows(
    rows: Iterator[Row], columns: Columns, kind: Kind, faults: Faults
) -> tuple[NDArray[np.uint8], list[str]]:
    """Pixels (N, P) from 0 to 255 and labels of the rows without a fault; the others are noted."""
    pixels: list[list[int]] = []
    labels: list[str] = []
    for place, cells in rows:
        before = faults.count
        if isinstance(cells, csv.Error):
            faults.add(f"{place}: quotes are not closed, or not before a comma: {cells}")
            continue
        if len(cells) != len(columns.names):
            faults.add(f"{place}: {len(cells)} cells where the header has {len(columns.names)}")
            continue
        values = []
        for index, cell in enumerate(cells):
            if index == columns.label:
                fault = label_fault(cell, kind)
            elif not (fault := pixel_fault(cell, kind)):
                # numpy and Python both round a half to the even neighbour.
                values.append(round(float(cell) * (255 if kind.unit_pixels else 1)))
            if fault:
                name = column_name(columns, index)
                faults.add(f"{place}, column {name}: {shortened(cell)} {fault}")
        if faults.count == before:
            pixels.append(values)
            labels.append("" if columns.label is None else cells[columns.label].strip())
    return np.array(pixels, dtype=np.uint8).reshape(-1, columns.pixels), labels


def column_name(columns: Columns, index: int) -> str:
    """The name of a column; its number, counted from 1, where that cannot be shown."""
    name = columns.names[index].strip()
    return name if name and name.isprintable() else str(index + 1)


def label_fault(cell: str, kind: Kind) -> str:
    """What is wrong with a label; empty if nothing is."""
    if fault := unread(cell) if kind.integer_labels else unread_text(cell):
        return fault
    if not kind.integer_labels:
        return ""
    match = INTEGER.fullmatch(cell)
    if match is None:
        return "is no whole number, as a label must be"
    # Twenty digits are out of range; Python refuses to read thousands of them.
    large = len(match[2]) > 20 or not -(2**63) <= int(match[1] + match[2]) < 2**63
    return "is too large for a label" if large else ""


def pixel_fault(cell: str, kind: Kind) -> str:
    """What is wrong with a pixel; empty if nothing is."""
    if cell in PLAIN_PIXELS and not kind.unit_pixels:
        return ""
    if fault := unread(cell):
        return fault
    value = number(cell)
    if value is None:
        return "is no number"
    if kind.unit_pixels:
        return "" if 0 <= value <= 1 else "is outside 0 to 1"
    if not 0 <= value <= 255:
        return "is outside 0 to 255"
    return "" if value == int(value) else "is no whole number from 0 to 255"


def unread(cell: str) -> str:
    """Why a cell holds nothing that could be judged; empty if it does."""
    return "is missing" if cell.strip().lower() in MISSING else unread_text(cell)


def unread_text(cell: str) -> str:
    """Why a cell holds no text; empty if it does."""
    if not cell.strip():
        return "is missing"
    try:
        cell.encode()
    except UnicodeEncodeError:
        return "is no UTF-8 text"
    return ""


def whole_number(cell: str) -> int:
    """The whole number in a cell, whatever zeros stand before it; Python reads only some thousand
    digits."""
    if len(cell) < LONGEST_INT:
        return int(cell)
    match = INTEGER.fullmatch(cell)
    assert match is not None
    return int(match[1] + match[2])


def is_integer(cell: str) -> bool:
    """Whether a cell holds a whole number, written without a point."""
    return INTEGER.fullmatch(cell) is not None


def is_word(cell: str) -> bool:
    """Whether a cell holds text that is neither a number nor stands for a missing one."""
    return number(cell) is None and not unread(cell)


def number(cell: str) -> float | None:
    """The number in a cell; None if there is none."""
    return float(cell) if NUMBER.fullmatch(cell) else None

"""What is wrong with a CSV file of images, cell by cell: slow, and only run on a broken file."""

import csv
import gzip
from collections.abc import Iterator
from pathlib import Path

SHOWN = 20
"""Faults of one file that are reported; the rest are counted."""


def faults_of_file(path: Path, header: list[str], labelled: bool = True) -> list[str]:
    """The first faults of a file as lines with file, line, column and value, and how many more."""
    shown: list[str] = []
    more = 0
    for fault in row_faults(path, header, labelled):
        if len(shown) < SHOWN:
            shown.append(f"{path}, {fault}")
        else:
            more += 1
    return [*shown, f"{path}: and {more} more faults"] if more else shown


def row_faults(path: Path, header: list[str], labelled: bool) -> Iterator[str]:
    """Every fault below the header, in the order of the file."""
    opener = gzip.open if path.suffix == ".gz" else open
    with opener(path, "rt", encoding="utf-8-sig", newline="") as lines:
        rows = csv.reader(lines)
        next(rows)
        try:
            for cells in rows:
                if cells:
                    yield from cell_faults(f"line {rows.line_num}", cells, header, labelled)
        except (OSError, EOFError, UnicodeDecodeError, csv.Error) as error:
            yield f"line {rows.line_num}: cannot be read on: {error}"


def cell_faults(where: str, cells: list[str], header: list[str], labelled: bool) -> Iterator[str]:
    """The faults of one row."""
    if len(cells) != len(header):
        yield f"{where}: {len(cells)} cells where the header has {len(header)}"
        return
    for index, (name, cell) in enumerate(zip(header, cells, strict=True)):
        fault = label_fault(cell) if labelled and index == 0 else pixel_fault(cell)
        if fault:
            yield f"{where}, column {name}: {cell!r} {fault}"


def label_fault(cell: str) -> str:
    """What is wrong with a label; empty if nothing is."""
    return "" if is_integer(cell) else "is no whole number, as a label must be"


def pixel_fault(cell: str) -> str:
    """What is wrong with a pixel; empty if nothing is."""
    if is_integer(cell):
        return "" if 0 <= int(cell) <= 255 else "is outside 0 to 255"
    if not cell.strip() or cell.strip().lower() in ("nan", "na", "null", "none"):
        return "is missing"
    if is_number(cell):
        return "is no whole number from 0 to 255"
    return "is no number"


def is_integer(cell: str) -> bool:
    """Whether a cell holds a whole number."""
    try:
        int(cell)
    except ValueError:
        return False
    return True


def is_number(cell: str) -> bool:
    """Whether a cell holds a number."""
    try:
        float(cell)
    except ValueError:
        return False
    return True

"""Infer the separator of a text file, and whether its first row is a header."""

import csv
import io
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from csvision.data.cells import is_missing, is_number
from csvision.data.names import is_label_name
from csvision.errors import DataError

SEPARATORS = (",", ";", "\t", "|", " ")
SAMPLED_ROWS = 20

MANGLED = re.compile(r"(.+?)\.(\d+)")

Rows = list[list[str]]


@dataclass(frozen=True)
class Dialect:
    """How the cells of a text file are separated and named.

    `names` has one name per column; the numbers from 0 for a file without a header.
    `repaired_row` replaces the first line of such a file if that was changed by another program.
    """

    separator: str
    names: tuple[str, ...]
    has_header: bool = True
    repaired_row: tuple[str, ...] | None = None
    notices: tuple[str, ...] = ()


def infer_dialect(path: Path, text: str, header: str) -> Dialect:
    """Return the dialect of a file whose first lines are `text`.

    `header` is "true", "false", or "auto": the first row is a header unless it looks like the rows
    below. Raises DataError if the first line is empty.
    """
    separator = infer_separator(text)
    rows = split_rows(text, separator)
    if not rows or not any(cell.strip() for cell in rows[0]):
        raise DataError(
            f"{path}, line 1: the line is empty; add a header such as label,pixel1,..."
        )
    first, below = rows[0], [row for row in rows[1:] if len(row) == len(rows[0])]
    if first[0].startswith("#") and header != "false":
        names = [first[0].lstrip("# "), *first[1:]]
        return Dialect(separator, tuple(names))
    if header == "true":
        return Dialect(separator, tuple(first))
    numbers = tuple(map(str, range(len(first))))
    if header == "false":
        return Dialect(separator, numbers, has_header=False)
    if (repaired := undo_mangling(first)) is not None:
        notice = "line 1 is a row of which pandas made names; its numbers are restored"
        return Dialect(separator, numbers, False, tuple(repaired), (notice,))
    if not is_header(first, below):
        notice = "no header; line 1 is read as an image"
        return Dialect(separator, numbers, False, notices=(notice,))
    return Dialect(separator, tuple(first))


def infer_separator(text: str) -> str:
    """Return the separator that gives the same number of cells, above 1, in most lines."""
    best, best_score = ",", (0.0, 0.0)
    for separator in SEPARATORS:
        rows = split_rows(text, separator)
        if not rows:
            continue
        count, lines = Counter(map(len, rows)).most_common(1)[0]
        cells = [cell for row in rows[1:3] for cell in row if len(row) == count]
        plain = sum(is_number(cell) or is_missing(cell) for cell in cells)
        score = (lines / len(rows), plain / max(1, len(cells)))
        # The first of equally good separators is kept.
        if count > 1 and score > best_score:
            best, best_score = separator, score
    return best


def split_rows(text: str, separator: str) -> Rows:
    """Return the cells of the first rows that are not blank; damaged quotes end the list."""
    if separator == " ":
        text = squeeze_spaces(text)
    rows: Rows = []
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
    try:
        for row in reader:
            if len(row) > 1 or "".join(row).strip() or not rows:
                rows.append(row)
            if len(rows) > SAMPLED_ROWS:
                break
    except csv.Error:
        pass
    return rows


def squeeze_spaces(text: str) -> str:
    """Replace runs of spaces and tabs by one space, and delete those at the ends of lines."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    return "\n".join(" ".join(line.split()) for line in lines)


def is_header(first: Sequence[str], below: Rows) -> bool:
    """Return whether the first row is a header: it does not look like the rows below.

    Consecutive numbers and the usual names of a label column are names.
    """
    numbers = [cell for cell in first if is_number(cell)]
    if is_numbering(numbers, len(first)) or any(map(is_label_name, first)):
        return True
    if len(numbers) == len(first):
        return False
    if not below:
        return True
    for cell, column in zip(first, zip(*below, strict=True), strict=True):
        numbers_below = all(is_number(other) or is_missing(other) for other in column)
        if numbers_below and not is_number(cell) and not is_missing(cell):
            return True
    # No column of numbers has a name: a file of texts only has a header, any other has none.
    return not numbers


def is_numbering(numbers: Sequence[str], num_columns: int) -> bool:
    """Return whether the numbers in a first row are names: consecutive from 0, or 10 from 1."""
    from_zero = list(numbers) == [str(index) for index in range(len(numbers))]
    from_one = list(numbers) == [str(index + 1) for index in range(len(numbers))]
    few = len(numbers) < min(4, num_columns)
    return (from_zero and not few) or (from_one and len(numbers) >= 10)


def undo_mangling(cells: Sequence[str]) -> list[str] | None:
    """Return the row of numbers that pandas made into unique names such as 0, 0.1, 0.2.

    None if the cells are not such names. The first cell may be a text label.
    """
    repaired, counts = [], Counter[str]()
    for cell in cells:
        match = MANGLED.fullmatch(cell)
        if match and counts[match[1]] and int(match[2]) == counts[match[1]]:
            repaired.append(match[1])
        elif counts[cell]:
            return None
        else:
            repaired.append(cell)
        counts[repaired[-1]] += 1
    changed = sum(one != other for one, other in zip(cells, repaired, strict=True))
    whole = sum(cell.strip().isdecimal() for cell in repaired)
    return repaired if changed and whole >= len(repaired) - 1 else None

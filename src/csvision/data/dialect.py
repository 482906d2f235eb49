"""Infer the separator of a text file, and whether its first row is a header."""

import csv
import io
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from csvision.data.cells import is_missing, is_number, is_text
from csvision.data.names import is_label_name
from csvision.errors import DataError

SEPARATORS = (",", ";", "\t", "|", " ")
SAMPLED_ROWS = 10

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


def infer_dialect(path: Path, text: str, header: str | bool) -> Dialect:
    """Return the dialect of a file whose first lines are `text`.

    `header` is True, False, or "auto": the first row is a header unless it looks like the rows
    below. Raises DataError if the first line is empty.
    """
    separator = infer_separator(text)
    check_quotes(path, text, separator)
    rows = split_rows(text, separator)
    if not rows or not any(cell.strip() for cell in rows[0]):
        raise DataError(f"{path}, line 1: the line is empty; add a header such as label,pixel1,...")
    first, below = rows[0], [row for row in rows[1:] if len(row) == len(rows[0])]
    if first[0].startswith("#") and header is not False:
        return Dialect(separator, (first[0].lstrip("# "), *first[1:]))
    if header is True:
        return Dialect(separator, tuple(first))
    numbers = tuple(map(str, range(len(first))))
    if header is False:
        return Dialect(separator, numbers, has_header=False)
    if (repaired := undo_mangling(first, below)) is not None:
        notice = "line 1 is a row of which pandas made names; its numbers are restored"
        return Dialect(separator, numbers, False, tuple(repaired), (notice,))
    if not is_header(path, first, below):
        notice = "no header; line 1 is read as an image"
        return Dialect(separator, numbers, False, notices=(notice,))
    return Dialect(separator, tuple(first))


def check_quotes(path: Path, text: str, separator: str) -> None:
    """Raise DataError if the first line cannot be read because of its quotes."""
    first = re.split(r"[\r\n]", text, maxsplit=1)[0]
    try:
        next(csv.reader([first], strict=True, delimiter=separator), None)
    except csv.Error as error:
        raise DataError(f"{path}, line 1: invalid quotes: {error}; correct the line") from error


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


def is_header(path: Path, first: Sequence[str], below: Rows) -> bool:
    """Return whether the first row is a header: it does not look like the rows below.

    Consecutive numbers are names, too. Raises DataError for numbers beside the name of a label.
    """
    numbers = [cell for cell in first if is_number(cell)]
    if is_numbering(numbers, len(first)):
        return True
    if len(numbers) == len(first):
        return False
    if not below:
        return True
    columns = list(zip(*below, strict=True))
    above_numbers = [
        cell
        for cell, column in zip(first, columns, strict=True)
        if all(is_number(other) or is_missing(other) for other in column)
    ]
    if not above_numbers:
        return not numbers
    named = sum(is_text(cell) for cell in above_numbers)
    # A damaged cell in a row of numbers makes no header of it.
    if named and named >= sum(map(is_number, above_numbers)):
        return True
    for cell, column in zip(first, columns, strict=True):
        if is_label_name(cell) and cell not in column:
            raise DataError(
                f"{path}, line 1: {cell!r} is the name of a label, but other cells are numbers; "
                "set data.header=true if they are names, or data.header=false"
            )
    return False


def is_numbering(numbers: Sequence[str], num_columns: int) -> bool:
    """Return whether the numbers in a first row are names: all from 0 to some N, or 10 from 1.

    The first or the last one can be the name of a label.
    """
    parts = (numbers, numbers[1:], numbers[:-1])
    return any(is_complete(part, min(4, num_columns)) for part in parts)


def is_complete(numbers: Sequence[str], fewest: int) -> bool:
    """Return whether enough numbers are those from 0 or 1 to some N, in any order."""
    count, found = len(numbers), set(numbers)
    from_zero = count >= fewest and found == set(map(str, range(count)))
    return from_zero or (count >= 10 and found == set(map(str, range(1, count + 1))))


def undo_mangling(cells: Sequence[str], below: Rows) -> list[str] | None:
    """Return the row of numbers that pandas made into unique names such as 0, 0.1, 0.2.

    None if the cells are not such names: if other decimals remain, or the rows below have decimals
    in the changed columns. The first or last cell may be a text label.
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
    changed = [index for index, cell in enumerate(cells) if cell != repaired[index]]
    if not changed or sum(map(is_number, repaired)) < len(repaired) - 1:
        return None
    # 0.1 can be the second 0, or a number; 0.5.1 is no number and can only be the second 0.5.
    if all(is_number(cells[index]) for index in changed):
        others = [row[index] for row in below for index in changed]
        if any("." in cell for cell in (*repaired, *others)):
            return None
    return repaired

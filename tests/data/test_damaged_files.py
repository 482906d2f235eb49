"""A file damaged at random is rejected or read as Python's csv module reads it."""

import csv
import gzip
import io
import re
import zlib
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from csvision.data.read_options import ReadOptions
from csvision.data.table import ImageTable, read_table
from csvision.errors import UserError
from tests.data.cell_rules import has_integer_labels, is_whole

pytestmark = pytest.mark.slow


@dataclass(frozen=True)
class Damaged:
    """A damaged file."""

    name: str
    content: bytes


ODD_CELLS = [
    *("", " ", "nan", "NA", "x", "300", "256", "-1", "-0", "1.5", "5.0", "1e2", "+5", "007", " 5 "),
    *("1_000", "٣", "\u00a05", "\x1f5", '"5"', '"5', '5"', '"5"6', ' "5"', '"5" ', '"5""', '"'),
    *("5\r6", "5\n6", '"5\n"', "5\0", "\0", "\ufeff5", "5-3", "--5", "-", "+", "0x5", "5,6", "inf"),
    *("9223372036854775807", "9223372036854775808", "-9223372036854775809", "18446744073709551616"),
    *("true", "False", "#", "1;2", "\t5", "5\v", "00", "0" * 30 + "7", "9" * 30, "9" * 5000),
]
odd_cell = st.sampled_from(ODD_CELLS) | st.text(st.characters(exclude_categories=["C"]), max_size=3)


@st.composite
def damaged_cells(draw: st.DrawFn) -> list[list[str]]:
    side = draw(st.integers(1, 3))
    values = [str(value) for value in draw(st.sets(st.integers(-12, 300), min_size=2, max_size=3))]
    pixel = st.integers(0, 255).map(str)
    row = st.tuples(
        st.sampled_from(values), st.lists(pixel, min_size=side * side, max_size=side * side)
    ).map(lambda cells: [cells[0], *cells[1]])
    rows = draw(st.lists(row, min_size=2, max_size=6))
    rows.insert(0, ["label", *(f"pixel{index}" for index in range(side * side))])
    for _ in range(draw(st.sampled_from([0, 1, 1, 1, 2, 3]))):
        cells = draw(st.sampled_from(rows[1:]))
        where = draw(st.integers(0, len(cells)))
        match draw(st.sampled_from(["replace", "delete", "add"])):
            case "replace":
                cells[where : where + 1] = [draw(odd_cell)]
            case "delete":
                cells[where : where + 1] = []
            case "add":
                cells.insert(where, draw(odd_cell))
    return rows


@st.composite
def damaged_files(draw: st.DrawFn) -> Damaged:
    line_ending = draw(st.sampled_from(["\n", "\n", "\r\n", "\r", "\n\n"]))
    quote = draw(st.sampled_from(["", "", '"']))
    lines = [",".join(f"{quote}{cell}{quote}" for cell in cells) for cells in draw(damaged_cells())]
    content = (line_ending.join(lines) + draw(st.sampled_from(["", line_ending]))).encode()
    is_compressed = draw(st.booleans())
    if is_compressed:
        content = gzip.compress(content, mtime=0)
    match draw(st.sampled_from(["leave", "leave", "leave", "cut", "flip", "flip"])):
        case "cut":
            content = content[: draw(st.integers(0, len(content)))]
        case "flip" if content:
            where = draw(st.integers(0, len(content) - 1))
            byte = draw(st.integers(0, 255) | st.sampled_from(b'0159,-+."\n\r \0'))
            content = content[:where] + bytes([byte]) + content[where + 1 :]
    return Damaged("table.csv.gz" if is_compressed else "table.csv", content)


Content = tuple[list[int | str], list[list[int]]]


def rows_by_python(file: Damaged) -> list[list[str]]:
    """Return all rows, read by the csv module; an empty list if they cannot be read."""
    try:
        is_compressed = file.content.startswith(b"\x1f\x8b")
        content = gzip.decompress(file.content) if is_compressed else file.content
        text = io.StringIO(content.decode("utf-8-sig"), newline="")
        return list(csv.reader(text, strict=True))
    except (OSError, EOFError, zlib.error, ValueError, csv.Error):
        return []


def has_intact_header(file: Damaged) -> bool:
    """Return whether the names of the columns are those that were written."""
    header = next(iter(rows_by_python(file)), [])
    return header == ["label", *(f"pixel{index}" for index in range(len(header) - 1))]


def read_by_python(file: Damaged) -> Content | None:
    """Return labels and pixels, read by the csv module; None if the file is invalid."""
    header, *rows = rows_by_python(file) or [[]]
    rows = [cells for cells in rows if len(cells) > 1 or "".join(cells).strip()]
    if any(len(cells) != len(header) for cells in rows):
        return None
    labels = labels_by_python([cells[0] for cells in rows])
    pixels = pixels_by_python([cells[1:] for cells in rows])
    if labels is None or pixels is None or len(header) - 1 not in (1, 4, 9, 16):
        return None
    return (labels, pixels) if len(set(labels)) > 1 else None


SPACE = "[ \\t\\n\\v\\f\\r]*"
NUMBER = re.compile(rf"{SPACE}[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?{SPACE}")


def labels_by_python(cells: list[str]) -> list[int | str] | None:
    """Return integer labels, or texts if some are no integers; None if one is invalid."""
    texts = [cell.strip() for cell in cells]
    if not all(texts):
        return None
    if not has_integer_labels(texts):
        return list(texts)
    if not all(map(is_whole, texts)) or any(len(text) > 5000 for text in texts):
        return None
    labels = [int(Decimal(text)) for text in texts]
    return list(labels) if all(-(2**63) <= label < 2**63 for label in labels) else None


def pixels_by_python(rows: list[list[str]]) -> list[list[int]] | None:
    """Return pixels from 0 to 255, rounded; None if one is invalid."""
    if not all(NUMBER.fullmatch(cell) for cells in rows for cell in cells):
        return None
    values = [[float(cell) for cell in cells] for cells in rows]
    if all(0 <= value <= 255 for row in values for value in row):
        return [[round(value) for value in row] for row in values]
    return None


def read_or_error(file: Damaged) -> ImageTable | UserError:
    num_columns = len(next(iter(rows_by_python(file)), []))
    shape = [1, 1, 1] if num_columns == 2 else None
    try:
        return read_table(file.name, ReadOptions(image_shape=shape, pixel_range=255, cache="none"))
    except UserError as error:
        return error


@example(file=Damaged("table.csv", b"label,pixel0,pixel1\n1,0\r,0\n"))
@example(file=Damaged("table.csv", b'"label","pixel0"\n""5"","0"\n"0","0"'))
@example(file=Damaged("table.csv", b"label,pixel0\ntrue,0\n0,0"))
@given(file=damaged_files())
@settings(deadline=None, max_examples=1000)
def test_damaged_file_is_rejected_or_read_as_by_the_csv_module(file: Damaged) -> None:
    Path(file.name).write_bytes(file.content)
    outcome = read_or_error(file)
    expected = read_by_python(file)
    if isinstance(outcome, UserError):
        # Names decide the order of pixels and which column is the label.
        if has_intact_header(file):
            assert expected is None, f"a valid file was rejected: {outcome}"
        assert outcome.messages
        assert all(message.startswith(file.name) for message in outcome.messages)
        assert not any("\n" in message or "\r" in message for message in outcome.messages)
    elif has_intact_header(file):
        assert expected is not None, "an invalid file was read"
        labels, pixels = expected
        assert outcome.labels is not None
        assert [outcome.label_values[index] for index in outcome.labels] == labels
        assert outcome.images.reshape(len(labels), -1).tolist() == pixels

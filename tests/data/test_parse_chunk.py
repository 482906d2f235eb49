"""Which cells are valid, and where errors are reported; both parsers give the same result.

`Oracle` implements the rules independently, with Python's csv module.
"""

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars
import pytest
from hypothesis import event, example, given, settings
from hypothesis import strategies as st

from csvision.data.read_options import ReadOptions
from csvision.data.table import ImageTable, read_table
from csvision.errors import DataError
from tests.data.cell_rules import (
    has_integer_labels,
    is_boolean,
    is_missing,
    is_pixel,
    is_whole,
    pixel_value,
)

NUM_PIXELS = 4
HEADER = "label,a,b,c,d"
FORMATS = ("csv", "parquet")


def read_file(name: str = "images.csv", **options: Any) -> ImageTable:
    return read_table(name, ReadOptions(cache="none", **options))


def read(rows: list[str], **options: Any) -> ImageTable:
    """Return the table of a file with these rows of a label and four pixels."""
    Path("images.csv").write_text("\n".join([HEADER, *rows, ""]), encoding="utf-8")
    return read_file(**options)


def errors_of(rows: list[str], **options: Any) -> list[str]:
    """Return the error messages for a file with these rows, without the file name."""
    with pytest.raises(DataError) as caught:
        read(rows, **options)
    assert all(message.startswith("images.csv") for message in caught.value.messages)
    return [message.removeprefix("images.csv").lstrip(", :") for message in caught.value.messages]


def values(table: ImageTable) -> list[list[int]]:
    rows: list[list[int]] = table.images.reshape(len(table.images), -1).tolist()
    return rows


@pytest.mark.parametrize(
    ("cell", "value"),
    [
        ("5.0", 5),
        ("5.", 5),
        ("+5", 5),
        ("005", 5),
        (" 5 ", 5),
        ('"5"', 5),
        ("5e0", 5),
        ("2.5e1", 25),
        ("255.000", 255),
        ("-0", 0),
        (".0", 0),
    ],
)
def test_integer_pixel_may_be_written_in_any_format(cell: str, value: int) -> None:
    assert values(read([f"0,{cell},1,2,3", "1,0,0,0,90"])) == [[value, 1, 2, 3], [0, 0, 0, 90]]


@pytest.mark.parametrize(
    ("cell", "problem"),
    [
        ("", "'' is missing"),
        ('""', "'' is missing"),
        ("  ", "'  ' is missing"),
        ("NaN", "'NaN' is missing"),
        ("null", "'null' is missing"),
        ("256", "'256' is outside 0..255"),
        ("-1", "'-1' is outside 0..255"),
        ("-0.1", "'-0.1' is outside 0..255"),
        ("1e2000", "'1e2000' is outside 0..255"),
        ("true", "'true' is not a number"),
        ("x", "'x' is not a number"),
        ("inf", "'inf' is not a number"),
        ("0x10", "'0x10' is not a number"),
        ("1_0", "'1_0' is not a number"),
        ("1 0", "'1 0' is not a number"),
        ("٣", "'٣' is not a number"),
        ("\N{NO-BREAK SPACE}5", r"'\xa05' is not a number"),
        ("1e", "'1e' is not a number"),
        (".", "'.' is not a number"),
    ],
)
def test_invalid_pixel_is_reported_with_line_column_and_value(cell: str, problem: str) -> None:
    assert errors_of(["0,9,9,9,99", f"1,9,9,{cell},9"]) == [f"line 3, column c: {problem}"]


@pytest.mark.parametrize(
    ("cell", "problem"),
    [
        ("", "'' is missing"),
        ("cat", "'cat' is not an integer label"),
        ("1.5", "'1.5' is not an integer label"),
        ("1_0", "'1_0' is not an integer label"),
        ("9223372036854775808", "'9223372036854775808' is too large for a label of 64 bits"),
    ],
)
def test_invalid_label_is_reported_with_line_column_and_value(cell: str, problem: str) -> None:
    rows = ["0,9,9,9,99", f"{cell},9,9,9,9", "1,9,9,9,9"]
    assert errors_of(rows) == [f"line 3, column label: {problem}"]


@pytest.mark.parametrize("cell", ["", "  ", '""', '" "'])
def test_missing_text_label_is_reported(cell: str) -> None:
    shown = cell.strip('"')
    assert errors_of(["cat,1,2,3,40", f"{cell},1,2,3,4", "dog,1,2,3,4"]) == [
        f"line 3, column label: {shown!r} is missing"
    ]


def test_rows_with_another_number_of_cells_are_reported() -> None:
    first, second = errors_of(["0,1,2,3", "1,1,2,3,40", "0,1,2,3,4,5"])
    assert first.startswith("line 2: 4 cells, but the header has 5")
    assert second.startswith("line 4: 6 cells, but the header has 5")


def test_all_errors_of_a_file_are_reported_together() -> None:
    rows = ["0,1,-2,3,4", "x,1,2,3", "1,1,2,3x5,", "z,1,2,3,4", "0,1,2,3,99", "1,1,2,3,4"]
    assert errors_of(rows) == [
        "line 2, column b: '-2' is outside 0..255",
        "line 3: 4 cells, but the header has 5",
        "line 4, column c: '3x5' is not a number",
        "line 4, column d: '' is missing",
        "line 5, column label: 'z' is not an integer label",
    ]


def test_errors_after_the_first_20_are_counted() -> None:
    rows = [f"{row % 2},1,2,3,{300 + row}" for row in range(25)]
    messages = errors_of(rows, pixel_range=255)
    assert len(messages) == 21
    assert messages[0] == "line 2, column d: '300' is outside 0..255"
    assert messages[19] == "line 21, column d: '319' is outside 0..255"
    assert messages[20] == "5 more errors"


def test_reading_stops_after_10000_errors(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("csvision.data.source.CHUNK_BYTES", 50_000)
    rows = [f"{row % 2},300,300,300,300" for row in range(10_000)]
    last = errors_of(rows, pixel_range=255)[-1]
    assert last.startswith("more than ")
    assert last.endswith(" more errors; reading stopped")
    counted = int(last.split()[2])
    assert 9_980 < counted < 40_000 - 20


@pytest.mark.parametrize("suffix", FORMATS)
def test_pixels_in_0_to_1_are_scaled_to_255(suffix: str) -> None:
    cells = [0.0, 1.0, 0.5, 0.1, 0.25, 1 / 3, 0.998, 0.0019, 0.002]
    table = polars.DataFrame({"label": [0, 1] * 4 + [0], "a": cells})
    if suffix == "csv":
        table.write_csv("images.csv")
    else:
        table.write_parquet("images.parquet")
    parsed = read_file(f"images.{suffix}", image_shape=[1, 1, 1])
    assert parsed.pixel_range == (0, 1)
    assert parsed.images.ravel().tolist() == [round(255 * cell) for cell in cells]
    assert parsed.images.ravel().tolist()[:4] == [0, 255, 128, 26]


def test_pixel_in_0_to_1_may_be_written_in_any_format() -> None:
    table = read(["0,0,1,0.5,.5", "1,1e-1,1., 0.2 ,+0.2"])
    assert values(table) == [[0, 255, 128, 128], [26, 255, 51, 51]]


def test_integers_0_and_1_are_black_and_white() -> None:
    table = read(["0,0,1,0,1", "1,1,1,0,0"])
    assert table.pixel_range == (0, 1)
    assert values(table) == [[0, 255, 0, 255], [255, 255, 0, 0]]
    dark = read(["0,0,1,0,1", "1,1,1,0,0"], pixel_range=255)
    assert dark.pixel_range == (0, 255)
    assert values(dark) == [[0, 1, 0, 1], [1, 1, 0, 0]]


@pytest.mark.parametrize(("true", "false"), [("True", "False"), ("true", "false"), ("TRUE", "0")])
def test_true_and_false_are_white_and_black(true: str, false: str) -> None:
    table = read([f"0,{true},{false},{false},{true}", f"1,{false},{false},{true},{true}"])
    assert values(table) == [[255, 0, 0, 255], [0, 0, 255, 255]]


def test_value_above_1_is_reported_if_nearly_all_pixels_are_in_0_to_1() -> None:
    rows = [f"{row % 2},0.5,0.5,0,1" for row in range(10)]
    assert errors_of([*rows, "0,0.5,2,0.5,0.5", "0,0.5,1,-0.5,x"]) == [
        "line 12, column b: '2' is outside 0..1",
        "line 13, column c: '-0.5' is outside 0..1",
        "line 13, column d: 'x' is not a number",
    ]


@pytest.mark.parametrize("suffix", FORMATS)
def test_text_column_is_reported_as_a_possible_label(suffix: str) -> None:
    table = polars.DataFrame({"a": [1, 2], "digit": ["six", "two"], "b": [3, 4]})
    if suffix == "csv":
        table.write_csv("images.csv")
    else:
        table.write_parquet("images.parquet")
    with pytest.raises(DataError) as caught:
        read_file(f"images.{suffix}", label_column="a", image_shape=[1, 1, 2])
    (message,) = caught.value.messages
    assert message.startswith(f"images.{suffix}, column digit: 'six' is text; ")
    assert "data.label_column=digit" in message
    options = {"image_shape": [1, 1, 2], "pixel_range": 255}
    labeled = read_file(f"images.{suffix}", label_column="digit", **options)
    assert labeled.label_values == ["six", "two"]


@dataclass
class Oracle:
    """The documented rules for a small file; `invalid` if one is violated."""

    text: str
    invalid: bool = False

    def __post_init__(self) -> None:
        _, *self.rows = self.parse_rows()
        complete = [row for row in self.rows if row[0].strip() and all(map(is_pixel, row[1:]))]
        self.range = self.decide_range([pixel_value(cell) for row in complete for cell in row[1:]])
        self.integer_labels = has_integer_labels([row[0].strip() for row in complete])
        columns = list(zip(*self.rows, strict=True))[1:]
        if len(self.rows) > 1 and any(all(map(is_text, column)) for column in columns):
            self.invalid = True
        self.pixels = [[self.pixel(cell) for cell in row[1:]] for row in self.rows]
        self.labels = [self.label(row[0]) for row in self.rows]
        if len(set(self.labels)) < 2:
            self.invalid = True

    def parse_rows(self) -> Iterator[list[str]]:
        rows = csv.reader(io.StringIO(self.text.removeprefix("\ufeff"), newline=""), strict=True)
        try:
            for cells in rows:
                if len(cells) == NUM_PIXELS + 1:
                    yield cells
                elif "".join(cells).strip():
                    self.invalid = True
        except csv.Error:
            self.invalid = True

    def decide_range(self, values: list[float]) -> tuple[float, float]:
        highest = max(values, default=0)
        fractions = any(value % 1 for value in values if value < 1e300)
        few_above = sum(value > 1 for value in values) < 0.1 * len(values)
        unit = any(value % 1 and value <= 1 for value in values)
        if highest == 1 or (unit and (highest <= 1 or few_above)):
            return 0, 1
        if highest in (15, 16) and not fractions:
            return 0, highest
        if 1 < highest <= 16:
            self.invalid = True
        return 0, 255

    def pixel(self, cell: str) -> int:
        low, high = self.range
        is_valid = is_pixel(cell) and low <= pixel_value(cell) <= high
        if not is_valid or (is_boolean(cell) and high != 1):
            self.invalid = True
            return 0
        return round((pixel_value(cell) - low) * (255 / (high - low)))

    def label(self, cell: str) -> int | str:
        text = cell.strip()
        if not self.integer_labels:
            self.invalid = self.invalid or not text
            return text
        if not is_whole(text) or not -(2**63) <= int(Decimal(text)) < 2**63:
            self.invalid = True
            return 0
        return int(Decimal(text))


def is_text(cell: str) -> bool:
    return not is_pixel(cell) and not is_missing(cell)


ODD_CELLS = ["{}", " {}", "{} ", "\t{}", "+{}", "0{}", "000{}", "{}.0", "{}.", "{}e0", "{}00e-2"]
ODD_CELLS += ['"{}"', '" {}"', '"{}" ', "-{}", "{}E+1", "{}e-1", ".{}", "0x{}", "{}_0", "{}x"]
ODD_CELLS += ["{} 0", '{}"', "1{}", "-0", "0.5", "1e2", "00255", "255.0", "2.5e1", "1e-1", ""]
ODD_CELLS += [" ", '""', "NaN", "nan", "NA", "null", "None", "inf", "-inf", "Infinity", "0x10"]
ODD_CELLS += ["\N{NO-BREAK SPACE}5", "5\N{EM SPACE}", "\N{FULLWIDTH DIGIT FIVE}", "\N{MINUS SIGN}1"]
ODD_CELLS += ["1_000", "٣", "²", "1e400", "+", ".", "-", "e", "1e", "1,2", '"1,2"', "true", "0b1"]
ODD_CELLS += ["1d", "1f", "5%", "#5", "'5'", "5;", "x", "1.5", "256", "-1", "9" * 25, '"a""b"']
ODD_CELLS += ["\\N", "né"]

PLAIN_PIXELS = st.integers(0, 255).map(str)
UNIT_RANGE_PIXELS = st.integers(0, 1000).map(lambda part: repr(part / 1000))
INTEGER_LABELS = ["0", "1", "10", "007", " 3", "-5", "+2"]
TEXT_LABELS = ["cat", " dog ", '"a, b"', "né", "1_0"]


@st.composite
def texts(draw: st.DrawFn) -> str:
    """Draw a small file: valid cells and a few odd ones, blank lines, any line ending."""
    pixels = draw(st.sampled_from([PLAIN_PIXELS, UNIT_RANGE_PIXELS]))
    labels = draw(
        st.permutations(
            draw(st.sampled_from([INTEGER_LABELS, TEXT_LABELS, INTEGER_LABELS + TEXT_LABELS]))
        )
    )
    count = draw(st.integers(2, 5))
    rows = [[label, *(draw(pixels) for _ in range(NUM_PIXELS))] for label in labels[:count]]
    for _ in range(draw(st.integers(0, 3))):
        row, index = draw(st.sampled_from(rows)), draw(st.integers(0, NUM_PIXELS))
        row[index] = draw(st.sampled_from(ODD_CELLS)).format(row[index].strip('"'))
    lines = [HEADER, *(",".join(row) for row in rows)]
    for _ in range(draw(st.integers(0, 2))):
        lines.insert(draw(st.integers(1, len(lines))), draw(st.sampled_from(["", "", " "])))
    newline = draw(st.sampled_from(["\n", "\r\n"]))
    mark = draw(st.sampled_from(["", "", "\ufeff"]))
    return mark + newline.join(lines) + draw(st.sampled_from(["", newline]))


@pytest.mark.slow
@settings(max_examples=500, deadline=None)
@given(texts())
@example("label,a,b,c,d\n1,0,0,0,0\n2,0,0,0,-0")
@example("label,a,b,c,d\n1,0,0,0,0\n2,0,0,0,true")
@example("label,a,b,c,d\n1,9,99,0,0\n2,0,0,0,true")
@example("label,a,b,c,d\n007,9,99,0,0\n6.0,0,0,0,2.5\n8,0,0,0,3.5")
@example("label,a,b,c,d\n1,0,0,0,0\n\N{NO-BREAK SPACE}2,0,0,0,0")
def test_parsers_agree_with_the_oracle(text: str) -> None:
    oracle = Oracle(text)
    event("invalid" if oracle.invalid else "valid")
    Path("images.csv").write_bytes(text.encode())
    if oracle.invalid:
        with pytest.raises(DataError):
            read_file()
        return
    table = read_file()
    assert table.labels is not None
    assert values(table) == oracle.pixels
    assert [table.label_values[index] for index in table.labels] == oracle.labels
    assert table.pixel_range == oracle.range

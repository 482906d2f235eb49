"""Cells of a file: which numbers count, what is refused and where, and one verdict of two parsers.

`Oracle` says the same once more, in Python's csv module and characters, for any cells.
"""

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import polars
import pytest
from hypothesis import event, example, given, settings
from hypothesis import strategies as st

from csvision.data import parse
from csvision.data.table import ImageTable, read_table
from csvision.errors import DataError

PIXELS = 4
HEADER = "label,a,b,c,d"
FORMATS = ("csv", "parquet")


def read(rows: list[str]) -> ImageTable:
    """The table of a file with these rows of a label and four pixels."""
    Path("images.csv").write_text("\n".join([HEADER, *rows, ""]), encoding="utf-8")
    return read_table("images.csv", cache="none")


def faults(rows: list[str]) -> list[str]:
    """What such a file is refused with, without its name."""
    with pytest.raises(DataError) as refused:
        read(rows)
    assert all(fault.startswith("images.csv") for fault in refused.value.faults)
    return [fault.removeprefix("images.csv").lstrip(", :") for fault in refused.value.faults]


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
def test_a_whole_number_counts_however_it_is_written(cell: str, value: int) -> None:
    assert values(read([f"0,{cell},1,2,3", "1,0,0,0,9"])) == [[value, 1, 2, 3], [0, 0, 0, 9]]


@pytest.mark.parametrize(
    ("cell", "complaint"),
    [
        ("", "'' is missing"),
        ('""', "'' is missing"),
        ("  ", "'  ' is missing"),
        ("NaN", "'NaN' is missing"),
        ("null", "'null' is missing"),
        ("256", "'256' is outside 0 to 255"),
        ("-1", "'-1' is outside 0 to 255"),
        ("-0.1", "'-0.1' is outside 0 to 255"),
        ("1e2000", "'1e2000' is outside 0 to 255"),
        ("5.5", "'5.5' is no whole number from 0 to 255"),
        ("1e-2", "'1e-2' is no whole number from 0 to 255"),
        ("x", "'x' is no number"),
        ("inf", "'inf' is no number"),
        ("0x10", "'0x10' is no number"),
        ("1_0", "'1_0' is no number"),
        ("1 0", "'1 0' is no number"),
        ("٣", "'٣' is no number"),
        ("\N{NO-BREAK SPACE}5", r"'\xa05' is no number"),
        ("1e", "'1e' is no number"),
        (".", "'.' is no number"),
    ],
)
def test_what_is_no_pixel_is_told_with_line_column_and_value(cell: str, complaint: str) -> None:
    assert faults(["0,9,9,9,9", f"1,9,9,{cell},9"]) == [f"line 3, column c: {complaint}"]


@pytest.mark.parametrize(
    ("cell", "complaint"),
    [
        ("", "'' is missing"),
        ("cat", "'cat' is no whole number, as a label must be"),
        ("1.0", "'1.0' is no whole number, as a label must be"),
        ("1_0", "'1_0' is no whole number, as a label must be"),
        ("9223372036854775808", "'9223372036854775808' is too large for a label"),
    ],
)
def test_what_is_no_label_is_told_with_line_column_and_value(cell: str, complaint: str) -> None:
    assert faults(["0,9,9,9,9", f"{cell},9,9,9,9"]) == [f"line 3, column label: {complaint}"]


@pytest.mark.parametrize("cell", ["", "  ", '""', '" "'])
def test_a_missing_word_is_no_label(cell: str) -> None:
    shown = cell.strip('"')
    assert faults(["cat,1,2,3,4", f"{cell},1,2,3,4", "dog,1,2,3,4"]) == [
        f"line 3, column label: {shown!r} is missing"
    ]


def test_rows_of_another_length_are_told() -> None:
    assert faults(["0,1,2,3", "1,1,2,3,4", "0,1,2,3,4,5"]) == [
        "line 2: 4 cells where the header has 5",
        "line 4: 6 cells where the header has 5",
    ]


def test_all_faults_of_a_file_are_told_at_once() -> None:
    assert faults(["0,1,-2,3,4", "x,1,2,3", "1,1,2,3.5,", "z,1,2,3,4"]) == [
        "line 2, column b: '-2' is outside 0 to 255",
        "line 3: 4 cells where the header has 5",
        "line 4, column c: '3.5' is no whole number from 0 to 255",
        "line 4, column d: '' is missing",
        "line 5, column label: 'z' is no whole number, as a label must be",
    ]


def test_more_than_twenty_faults_are_counted() -> None:
    rows = [f"{row % 2},1,2,3,{300 + row}" for row in range(25)]
    told = faults(rows)
    assert len(told) == 21
    assert told[0] == "line 2, column d: '300' is outside 0 to 255"
    assert told[19] == "line 21, column d: '319' is outside 0 to 255"
    assert told[20] == "and 5 more faults"


def test_reading_stops_after_ten_thousand_faults(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("csvision.data.source.PIECE_BYTES", 50_000)
    rows = [f"{row % 2},300,300,300,300" for row in range(10_000)]
    last = faults(rows)[-1]
    assert last.startswith("and more than ")
    assert last.endswith(" more faults; not read further")
    counted = int(last.split()[3])
    assert 9_980 < counted < 40_000 - 20


@pytest.mark.parametrize("ending", FORMATS)
def test_shares_from_0_to_1_become_shades(ending: str) -> None:
    cells = [0.0, 1.0, 0.5, 0.1, 0.25, 1 / 3, 0.998, 0.0019, 0.002]
    table = polars.DataFrame({"label": [0, 1] * 4 + [0], "a": cells})
    if ending == "csv":
        table.write_csv("images.csv")
    else:
        table.write_parquet("images.parquet")
    read = read_table(f"images.{ending}", cache="none")
    assert read.unit_pixels
    assert read.images.ravel().tolist() == [round(255 * cell) for cell in cells]
    assert read.images.ravel().tolist()[:4] == [0, 255, 128, 26]


def test_shares_may_be_written_in_any_way() -> None:
    table = read(["0,0,1,0.5,.5", "1,1e-1,1., 0.2 ,+0.2"])
    assert values(table) == [[0, 255, 128, 128], [26, 255, 51, 51]]


def test_zeros_and_ones_without_a_point_are_no_shares() -> None:
    table = read(["0,0,1,0,1", "1,1,1,0,0"])
    assert not table.unit_pixels
    assert values(table) == [[0, 1, 0, 1], [1, 1, 0, 0]]


def test_a_share_above_one_is_a_fault_once_the_first_rows_are_shares() -> None:
    shares = [f"{row % 2},0.5,0.5,0,1" for row in range(parse.SAMPLED_ROWS)]
    assert faults([*shares, "0,0.5,2,-0.5,x"]) == [
        "line 12, column b: '2' is outside 0 to 1",
        "line 12, column c: '-0.5' is outside 0 to 1",
        "line 12, column d: 'x' is no number",
    ]


@pytest.mark.parametrize("ending", FORMATS)
def test_a_column_of_words_is_asked_about(ending: str) -> None:
    table = polars.DataFrame({"a": [1, 2], "digit": ["six", "two"], "b": [3, 4]})
    if ending == "csv":
        table.write_csv("images.csv")
    else:
        table.write_parquet("images.parquet")
    with pytest.raises(DataError) as refused:
        read_table(f"images.{ending}", image_shape=[1, 1, 2], cache="none")
    assert refused.value.faults == [
        f"images.{ending}: column digit holds text such as 'six'; if it is the label, write "
        "data.label=digit, else take it out of the file"
    ]
    read = read_table(f"images.{ending}", label="digit", image_shape=[1, 1, 2], cache="none")
    assert read.label_values == ["six", "two"]


@dataclass
class Oracle:
    """The rules of a file as the documentation has them; `fault` when one is broken."""

    text: str
    fault: bool = False

    def __post_init__(self) -> None:
        _, *self.rows = self.read_rows()
        self.unit = self.are_shares()
        self.numbered = not (self.rows and is_word(self.rows[0][0]))
        columns = list(zip(*self.rows, strict=True))[1:]
        if len(self.rows) > 1 and any(all(map(is_word, column)) for column in columns):
            self.fault = True
        self.pixels = [[self.pixel(cell) for cell in row[1:]] for row in self.rows]
        self.labels = [self.label(row[0]) for row in self.rows]
        if len(set(self.labels)) < 2:
            self.fault = True

    def read_rows(self) -> Iterator[list[str]]:
        rows = csv.reader(io.StringIO(self.text.removeprefix("\ufeff"), newline=""), strict=True)
        try:
            for cells in rows:
                if len(cells) == PIXELS + 1:
                    yield cells
                elif "".join(cells).strip():
                    self.fault = True
        except csv.Error:
            self.fault = True

    def are_shares(self) -> bool:
        cells = [cell for row in self.rows for cell in row[1:] if is_number(cell)]
        return all(0 <= Decimal(cell) <= 1 for cell in cells) and not all(map(is_whole, cells))

    def pixel(self, cell: str) -> int:
        highest = 1 if self.unit else 255
        if not is_number(cell) or not 0 <= Decimal(cell) <= highest:
            self.fault = True
            return 0
        if not self.unit and Decimal(cell) != int(Decimal(cell)):
            self.fault = True
        return round(float(cell) * 255) if self.unit else int(Decimal(cell))

    def label(self, cell: str) -> int | str:
        if not cell.strip() or (self.numbered and not is_whole(cell)):
            self.fault = True
            return 0
        if self.numbered and not -(2**63) <= int(cell) < 2**63:
            self.fault = True
        return int(cell) if self.numbered else cell.strip()


def is_number(cell: str) -> bool:
    """Whether a cell is a decimal number in the characters that such a number has."""
    text = cell.strip(" \t")
    if not set(text) <= set("0123456789+-.eE"):
        return False
    try:
        Decimal(text)
    except ArithmeticError:
        return False
    return True


def is_whole(cell: str) -> bool:
    text = cell.strip(" \t")
    digits = text[1:] if text[:1] in ("+", "-") else text
    return digits != "" and set(digits) <= set("0123456789")


def is_word(cell: str) -> bool:
    missing = cell.strip().lower() in ("", "nan", "na", "null", "none")
    return not is_number(cell) and not missing


SPELLINGS = ["{}", " {}", "{} ", "\t{}", "+{}", "0{}", "000{}", "{}.0", "{}.", "{}e0", "{}00e-2"]
SPELLINGS += ['"{}"', '" {}"', '"{}" ', "-{}", "{}E+1", "{}e-1", ".{}", "0x{}", "{}_0", "{}x"]
SPELLINGS += ["{} 0", '{}"', "1{}", "-0", "0.5", "1e2", "00255", "255.0", "2.5e1", "1e-1", ""]
SPELLINGS += [" ", '""', "NaN", "nan", "NA", "null", "None", "inf", "-inf", "Infinity", "0x10"]
SPELLINGS += ["\N{NO-BREAK SPACE}5", "5\N{EM SPACE}", "\N{FULLWIDTH DIGIT FIVE}", "\N{MINUS SIGN}1"]
SPELLINGS += ["1_000", "٣", "²", "1e400", "+", ".", "-", "e", "1e", "1,2", '"1,2"', "true", "0b1"]
SPELLINGS += ["1d", "1f", "5%", "#5", "'5'", "5;", "x", "1.5", "256", "-1", "9" * 25, '"a""b"']
SPELLINGS += ["\\N", "né"]

PLAIN_PIXELS = st.integers(0, 255).map(str)
SHARES = st.integers(0, 1000).map(lambda part: repr(part / 1000))
NUMBERS = ["0", "1", "10", "007", " 3", "-5", "+2"]
WORDS = ["cat", " dog ", '"a, b"', "né", "1_0"]


@st.composite
def texts(draw: st.DrawFn) -> str:
    """A small file: plain cells with a few odd ones in between, ways to end and to part lines."""
    pixels = draw(st.sampled_from([PLAIN_PIXELS, SHARES]))
    labels = draw(st.permutations(draw(st.sampled_from([NUMBERS, WORDS, NUMBERS + WORDS]))))
    count = draw(st.integers(2, 5))
    rows = [[label, *(draw(pixels) for _ in range(PIXELS))] for label in labels[:count]]
    for _ in range(draw(st.integers(0, 3))):
        row, index = draw(st.sampled_from(rows)), draw(st.integers(0, PIXELS))
        row[index] = draw(st.sampled_from(SPELLINGS)).format(row[index].strip('"'))
    lines = [HEADER, *(",".join(row) for row in rows)]
    for _ in range(draw(st.integers(0, 2))):
        lines.insert(draw(st.integers(1, len(lines))), draw(st.sampled_from(["", "", " "])))
    newline = draw(st.sampled_from(["\n", "\r\n"]))
    mark = draw(st.sampled_from(["", "", "\ufeff"]))
    return mark + newline.join(lines) + draw(st.sampled_from(["", newline]))


@settings(max_examples=500, deadline=None)
@given(texts())
@example("label,a,b,c,d\n1,0,0,0,0\n2,0,0,0,-0")
@example("label,a,b,c,d\n1,0,0,0,0\n\N{NO-BREAK SPACE}2,0,0,0,0")
def test_two_parsers_and_the_oracle_are_of_one_mind(text: str) -> None:
    oracle = Oracle(text)
    event("refused" if oracle.fault else "taken")
    Path("images.csv").write_bytes(text.encode())
    if oracle.fault:
        with pytest.raises(DataError):
            read_table("images.csv", cache="none")
        return
    table = read_table("images.csv", cache="none")
    assert table.labels is not None
    assert values(table) == oracle.pixels
    assert [table.label_values[index] for index in table.labels] == oracle.labels
    assert table.unit_pixels == oracle.unit

"""Broken files: what each is told, and that none is ever read as something that it is not."""

import csv
import gzip
import io
import re
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from random import Random

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from csvision.data.table import ImageTable, read_table
from csvision.errors import DataError, UserError

GOOD = b"label,a,b,c,d\n0,1,2,3,4\n1,5,6,7,8\n"
"""Three lines; what a test adds begins in line 4."""


def faults_of(content: bytes, name: str = "table.csv") -> list[str]:
    Path(name).write_bytes(content)
    with pytest.raises(DataError) as refused:
        read_table(name)
    return refused.value.faults


CELLS = [
    ("1,5,cat,7,8", "column b: 'cat' is no number"),
    ("1,5,true,7,8", "column b: 'true' is no number"),
    ("1,5,0x10,7,8", "column b: '0x10' is no number"),
    ("1,5,5-3,7,8", "column b: '5-3' is no number"),
    ("1,5,- 3,7,8", "column b: '- 3' is no number"),
    ("1,5,,7,8", "column b: '' is missing"),
    ("1,5,  ,7,8", "column b: '  ' is missing"),
    ('1,5,"",7,8', "column b: '' is missing"),
    ("1,5,NaN,7,8", "column b: 'NaN' is missing"),
    ("1,5,NA,7,8", "column b: 'NA' is missing"),
    ("1,5,null,7,8", "column b: 'null' is missing"),
    ("1,5,None,7,8", "column b: 'None' is missing"),
    ("1,256,6,7,8", "column a: '256' is outside 0 to 255"),
    ("1,5,300,7,8", "column b: '300' is outside 0 to 255"),
    ("1,5,6,7,65536", "column d: '65536' is outside 0 to 255"),
    ("1,5,6,7,4294967297", "column d: '4294967297' is outside 0 to 255"),
    ("1,5,6,7,18446744073709551617", "column d: '18446744073709551617' is outside 0 to 255"),
    ("1,5,-1,7,8", "column b: '-1' is outside 0 to 255"),
    ("1,5,1.5,7,8", "column b: '1.5' is no whole number from 0 to 255"),
    ("1,5,1e3,7,8", "column b: '1e3' is outside 0 to 255"),
    ("1,5,inf,7,8", "column b: 'inf' is no number"),
    ("1,5,1_000,7,8", "column b: '1_000' is no number"),
    ("1,5,٣,7,8", "column b: '٣' is no number"),
    ("1,5,³,7,8", "column b: '³' is no number"),
    ("1,5,\u00a06,7,8", "column b: '\\xa06' is no number"),
    ("1,5,6\0,7,8", "column b: '6\\x00' is no number"),
    ("1,5,\0,7,8", "column b: '\\x00' is no number"),
    ("1,5,#6,7,8", "column b: '#6' is no number"),
    ("1,5,1'000,7,8", 'column b: "1\'000" is no number'),
    ('1,5,6"7",7,8', "column b: '6\"7\"' is no number"),
    ('1,5,"6\n7",7,8', "column b: '6\\n7' is no number"),
    ('1,5,"6\r7",7,8', "column b: '6\\r7' is no number"),
    ('1,5,"6,7",7,8', "column b: '6,7' is no number"),
    ("1.5,5,6,7,8", "column label: '1.5' is no whole number, as a label must be"),
    ("1.0,5,6,7,8", "column label: '1.0' is no whole number, as a label must be"),
    ("cat,5,6,7,8", "column label: 'cat' is no whole number, as a label must be"),
    (",5,6,7,8", "column label: '' is missing"),
    ("9223372036854775808,5,6,7,8", "column label: '9223372036854775808' is too large for a label"),
    (
        "-9223372036854775809,5,6,7,8",
        "column label: '-9223372036854775809' is too large for a label",
    ),
    (
        "9" * 5000 + ",5,6,7,8",
        "column label: '999999999999...9999999999999' is too large for a label",
    ),
]

ROWS = [
    ("1,5,6,7", "4 cells where the header has 5"),
    ("1", "1 cells where the header has 5"),
    ("1,5,6,7,8,9", "6 cells where the header has 5"),
    ("1,5,6,7,8,", "6 cells where the header has 5"),
    ("1,5,6,7,8,,", "7 cells where the header has 5"),
    ("\0", "1 cells where the header has 5"),
    ("\x1a", "1 cells where the header has 5"),
    ("1;5;6;7;8", "1 cells where the header has 5"),
    (
        '1,5,6,7,"8',
        "quotes are not closed, or not before a comma: unexpected end of data",
    ),
    (
        '1,"5,6,7,8\n0,1,2,3,4\n0,1,2,3,4',
        "quotes are not closed, or not before a comma: unexpected end of data",
    ),
    (
        '1,"5"6,6,7,8',
        "quotes are not closed, or not before a comma: ',' expected after '\"'",
    ),
]


@pytest.mark.parametrize(("line", "complaint"), CELLS)
def test_a_cell_is_refused_by_line_column_and_value(line: str, complaint: str) -> None:
    for end in ("", "\n"):
        broken = GOOD + line.encode() + end.encode()
        assert faults_of(broken) == [f"table.csv, line 4, {complaint}"]


@pytest.mark.parametrize(("line", "complaint"), ROWS)
def test_a_row_is_refused_by_the_line_on_which_it_begins(line: str, complaint: str) -> None:
    for end in ("", "\n"):
        broken = GOOD + line.encode() + end.encode()
        assert faults_of(broken) == [f"table.csv, line 4: {complaint}"]


@pytest.mark.parametrize("first", ["9,9,9,9,9,9", "9,9,9,9,9,", "9,9,9,9"])
def test_the_first_row_is_measured_by_the_header_too(first: str) -> None:
    header, _, rest = GOOD.partition(b"\n")
    cells = first.count(",") + 1
    assert faults_of(header + f"\n{first}\n".encode() + rest) == [
        f"table.csv, line 2: {cells} cells where the header has 5"
    ]


def test_rows_that_are_all_too_long_are_refused() -> None:
    # With a comma at the end of every row but the header.
    assert faults_of(b"label,a\n0,1,\n1,5,\n") == [
        "table.csv, line 2: 3 cells where the header has 2",
        "table.csv, line 3: 3 cells where the header has 2",
    ]


def test_a_long_row_does_not_make_up_for_a_short_one() -> None:
    assert faults_of(GOOD + b"1,2,3,4\n1,2,3,4,5,6\n") == [
        "table.csv, line 4: 4 cells where the header has 5",
        "table.csv, line 5: 6 cells where the header has 5",
    ]


def test_all_faults_are_told_in_the_order_of_the_file() -> None:
    assert faults_of(GOOD + b'x,300,6,7,-1\n\n1,2\n1,"2"3,4,5,6\n1,2,3,4,nan\n') == [
        "table.csv, line 4, column label: 'x' is no whole number, as a label must be",
        "table.csv, line 4, column a: '300' is outside 0 to 255",
        "table.csv, line 4, column d: '-1' is outside 0 to 255",
        "table.csv, line 6: 2 cells where the header has 5",
        "table.csv, line 7: quotes are not closed, or not before a comma: ',' expected after '\"'",
        "table.csv, line 8, column d: 'nan' is missing",
    ]


@pytest.mark.parametrize(("line_end", "line"), [("\n", 4), ("\r\n", 4), ("\r", 4), ("\n\n", 7)])
def test_lines_are_counted_as_an_editor_counts_them(line_end: str, line: int) -> None:
    rows = ["label,a,b,c,d", "0,1,1,1,1", "1,1,1,1,1", "0,300,1,1,1"]
    assert faults_of(line_end.join(rows).encode()) == [
        f"table.csv, line {line}, column a: '300' is outside 0 to 255"
    ]


def test_a_cell_of_two_lines_counts_as_two() -> None:
    assert faults_of(GOOD + b'"1\n",1,1,1,1\n0,300,1,1,1\n') == [
        "table.csv, line 6, column a: '300' is outside 0 to 255"
    ]


@pytest.mark.parametrize(("faulty", "more"), [(20, []), (21, ["table.csv: and 1 more faults"])])
def test_more_than_20_faults_are_counted(faulty: int, more: list[str]) -> None:
    shown = [f"table.csv, line {line}: 1 cells where the header has 5" for line in range(4, 24)]
    assert faults_of(GOOD + b"7\n" * faulty) == shown + more


def test_faults_are_counted_by_the_cell() -> None:
    faults = faults_of(GOOD + b"x,x,x,x,x\n" * 1000)
    assert len(faults) == 21
    assert faults[-1] == "table.csv: and 4980 more faults"


def test_a_column_without_a_name_that_can_be_shown_is_named_by_its_number() -> None:
    header = b"label,,\x08,\x07\n"
    assert faults_of(header[:-1] + b",d\n0,x,y,z,1\n1,1,1,1,1\n") == [
        "table.csv, line 2, column 2: 'x' is no number",
        "table.csv, line 2, column 3: 'y' is no number",
        "table.csv, line 2, column 4: 'z' is no number",
    ]


def test_columns_may_share_a_name() -> None:
    Path("table.csv").write_bytes(b"x,x,x,x,x\n0,1,2,3,4\n1,5,6,7,8\n")
    assert read_table("table.csv").images[1].tolist() == [[[5, 6], [7, 8]]]
    assert faults_of(b"x,x,x,x,x\n0,1,2,3,4\n1,5,6,300,8\n") == [
        "table.csv, line 3, column x: '300' is outside 0 to 255"
    ]


def test_bytes_that_are_no_utf8_are_refused_where_they_stand() -> None:
    assert faults_of(GOOD + b"1,5,\xe9,7,8\n") == [
        "table.csv, line 4, column b: '\\udce9' is no UTF-8 text"
    ]
    assert faults_of(GOOD + b"\xff1,5,6,7,8\n") == [
        "table.csv, line 4, column label: '\\udcff1' is no UTF-8 text"
    ]


@pytest.mark.parametrize(
    "content", [b"\xe9tiquette,a\n0,1\n1,5\n", "label,a\n0,1\n1,5\n".encode("utf-16")]
)
def test_a_header_in_another_encoding_is_refused(content: bytes) -> None:
    assert faults_of(content) == ["table.csv, line 1 is no UTF-8 text; save the file as UTF-8"]


NO_PIXELS = (
    "table.csv, line 1: there are no pixel columns after the label; cells are parted by commas"
)

EMPTY_HEADER = "table.csv, line 1 is empty; a header such as label,pixel1,... is needed"

NO_TABLE = [
    (b"", "table.csv is empty; a header and one row an image are needed"),
    (b"label,a,b,c,d\n", "table.csv has a header and no rows"),
    (b"label,a,b,c,d", "table.csv has a header and no rows"),
    (b"label,a,b,c,d\n\n  \n", "table.csv has a header and no rows"),
    (
        b"label\n0\n1\n",
        NO_PIXELS,
    ),
    (b"\n", EMPTY_HEADER),
    (b"\n" + GOOD, EMPTY_HEADER),
    (
        b"label;a\n0;1\n",
        NO_PIXELS,
    ),
    (
        b"3,0,0,0,0\n1,5,6,7,8\n",
        "table.csv, line 1 holds numbers; a header such as label,pixel1,... is needed",
    ),
    (
        b"0.0,1.5\n1,2\n",
        "table.csv, line 1 holds numbers; a header such as label,pixel1,... is needed",
    ),
    (b'label,"a\n0,1\n', "table.csv cannot be read: unexpected end of data"),
    (
        b'label,"' + b"a" * 2**18,
        "table.csv cannot be read: field larger than field limit (131072)",
    ),
]


@pytest.mark.parametrize(("content", "complaint"), NO_TABLE)
def test_a_file_that_is_no_table_is_refused(content: bytes, complaint: str) -> None:
    assert faults_of(content) == [complaint]


def test_columns_numbered_from_0_are_a_header() -> None:
    Path("table.csv").write_bytes(b"0,1,2,3,4\n0,1,2,3,4\n1,5,6,7,8\n")
    assert len(read_table("table.csv").images) == 2


def test_quotes_left_open_in_a_large_file_are_found_where_they_open() -> None:
    faults = faults_of(GOOD + b'1,"5,6,7,8\n' + b"0,1,2,3,4\n" * 20_000)
    assert faults == [
        "table.csv, line 4: quotes are not closed, or not before a comma: "
        "field larger than field limit (131072)"
    ]


@pytest.mark.parametrize(
    ("source", "complaint"),
    [
        ("nowhere.csv", "nowhere.csv: there is no such file; check data.csv"),
        ("folder", "folder is a folder; name a file of images"),
        ("", ". is a folder; name a file of images"),
        ("no\0where.csv", "no\0where.csv: there is no such file; check data.csv"),
        (
            "outputs/data/fashion_mnist/train.csv",
            "outputs/data/fashion_mnist/train.csv: there is no such file; "
            "python scripts/fashion_mnist.py makes it",
        ),
        ("~nobody_of_that_name/a.csv", "~nobody_of_that_name/a.csv: there can be no such file ("),
        ("x" * 300, "x" * 300 + ": there can be no such file ("),
    ],
)
def test_a_path_that_leads_to_no_file_is_refused(source: str, complaint: str) -> None:
    Path("folder").mkdir()
    with pytest.raises(DataError) as refused:
        read_table(source)
    (fault,) = refused.value.faults
    assert fault.startswith(complaint)
    assert complaint.endswith("(") or fault == complaint


def test_a_file_named_gz_that_is_none_is_refused() -> None:
    assert faults_of(GOOD, "table.csv.gz") == [
        "table.csv.gz cannot be read: Not a gzipped file (b'la')"
    ]


def packed(rows: int) -> bytes:
    random = Random(0)
    lines = [",".join(str(random.randrange(256)) for _ in range(5)) for _ in range(rows)]
    return gzip.compress("\n".join(["label,a,b,c,d", *lines]).encode(), mtime=0)


CUT_SHORT = "Compressed file ended before the end-of-stream marker was reached"


def test_a_gz_cut_short_is_refused() -> None:
    content = packed(20_000)
    (fault,) = faults_of(content[: len(content) // 2], "table.csv.gz")
    assert re.fullmatch(rf"table\.csv\.gz, cannot be read to its end: {CUT_SHORT}", fault)
    assert faults_of(content[:12], "table.csv.gz") == [f"table.csv.gz cannot be read: {CUT_SHORT}"]


def test_a_gz_with_a_wrong_sum_is_refused_though_all_its_cells_look_right() -> None:
    content = packed(20_000)
    wrong_sum = content[:-8] + bytes([content[-8] ^ 1]) + content[-7:]
    (fault,) = faults_of(wrong_sum, "table.csv.gz")
    assert re.fullmatch(r"table\.csv\.gz, cannot be read to its end: CRC check failed .*", fault)


def test_a_gz_whose_stream_is_damaged_is_refused() -> None:
    def broken_after(content: bytes) -> bytes:
        compressor = zlib.compressobj(wbits=31)
        whole = compressor.compress(content) + compressor.flush(zlib.Z_FULL_FLUSH)
        return whole + b"\x07" * 20

    invalid = "Error -3 while decompressing data: invalid block type"
    assert faults_of(broken_after(b""), "table.csv.gz") == [
        f"table.csv.gz cannot be read: {invalid}"
    ]
    (fault,) = faults_of(broken_after(GOOD + b"0,1,2,3,4\n" * 20_000), "table.csv.gz")
    assert re.fullmatch(rf"table\.csv\.gz, cannot be read to its end: {invalid}", fault)


# From here on: a good file damaged at random is refused, or read as Python reads it.


@dataclass(frozen=True)
class Damaged:
    """What is left of a file."""

    name: str
    content: bytes


JUNK = [
    *("", " ", "nan", "NA", "x", "300", "256", "-1", "-0", "1.5", "5.0", "1e2", "+5", "007", " 5 "),
    *("1_000", "٣", "\u00a05", "\x1f5", '"5"', '"5', '5"', '"5"6', ' "5"', '"5" ', '"5""', '"'),
    *("5\r6", "5\n6", '"5\n"', "5\0", "\0", "\ufeff5", "5-3", "--5", "-", "+", "0x5", "5,6", "inf"),
    *("9223372036854775807", "9223372036854775808", "-9223372036854775809", "18446744073709551616"),
    *("true", "False", "#", "1;2", "\t5", "5\v", "00", "0" * 30 + "7", "9" * 30, "9" * 5000),
]
junk = st.sampled_from(JUNK) | st.text(st.characters(exclude_categories=["C"]), max_size=3)


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
        cells = draw(st.sampled_from(rows))
        where = draw(st.integers(0, len(cells)))
        match draw(st.sampled_from(["replace", "delete", "add"])):
            case "replace":
                cells[where : where + 1] = [draw(junk)]
            case "delete":
                cells[where : where + 1] = []
            case "add":
                cells.insert(where, draw(junk))
    return rows


@st.composite
def damaged_files(draw: st.DrawFn) -> Damaged:
    line_end = draw(st.sampled_from(["\n", "\n", "\r\n", "\r", "\n\n"]))
    quote = draw(st.sampled_from(["", "", '"']))
    lines = [",".join(f"{quote}{cell}{quote}" for cell in cells) for cells in draw(damaged_cells())]
    content = (line_end.join(lines) + draw(st.sampled_from(["", line_end]))).encode()
    is_packed = draw(st.booleans())
    if is_packed:
        content = gzip.compress(content, mtime=0)
    match draw(st.sampled_from(["leave", "leave", "leave", "cut", "flip", "flip"])):
        case "cut":
            content = content[: draw(st.integers(0, len(content)))]
        case "flip" if content:
            where = draw(st.integers(0, len(content) - 1))
            byte = draw(st.integers(0, 255) | st.sampled_from(b'0159,-+."\n\r \0'))
            content = content[:where] + bytes([byte]) + content[where + 1 :]
    return Damaged("table.csv.gz" if is_packed else "table.csv", content)


def is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def read_by_python(file: Damaged) -> tuple[list[int | str], list[list[int]]] | None:
    """What the csv module and Python's numbers make of a file; None if it breaks a rule."""
    try:
        content = gzip.decompress(file.content) if file.name.endswith(".gz") else file.content
        text = io.StringIO(content.decode("utf-8-sig"), newline="")
        header, *rows = csv.reader(text, strict=True)
    except (OSError, EOFError, zlib.error, ValueError, csv.Error):
        return None
    if all(map(is_number, header)) and header != [str(index) for index in range(len(header))]:
        return None
    rows = [cells for cells in rows if len(cells) > 1 or "".join(cells).strip()]
    if any(len(cells) != len(header) for cells in rows):
        return None
    labels = labels_by_python([cells[0] for cells in rows])
    pixels = pixels_by_python([cells[1:] for cells in rows])
    if labels is None or pixels is None or len(header) - 1 not in (1, 4, 9, 16):
        return None
    return (labels, pixels) if len(set(labels)) > 1 else None


SPACE = "[ \\t\\n\\v\\f\\r]*"
INTEGER = re.compile(f"{SPACE}[+-]?[0-9]+{SPACE}")
NUMBER = re.compile(rf"{SPACE}[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?{SPACE}")
MISSING = ("", "nan", "na", "null", "none")


def labels_by_python(cells: list[str]) -> list[int | str] | None:
    """Labels as numbers, or as text if the first one is a word; None if one is neither."""
    if not cells:
        return None
    if cells[0].strip().lower() not in MISSING and not NUMBER.fullmatch(cells[0]):
        return [cell.strip() for cell in cells] if all(cell.strip() for cell in cells) else None
    if not all(INTEGER.fullmatch(cell) for cell in cells):
        return None
    digits = [cell.strip().lstrip("+-").lstrip("0") or "0" for cell in cells]
    if any(len(text) > 20 for text in digits):
        return None
    labels: list[int | str] = []
    for cell, text in zip(cells, digits, strict=True):
        value = -int(text) if cell.strip().startswith("-") else int(text)
        if not -(2**63) <= value < 2**63:
            return None
        labels.append(value)
    return labels


def pixels_by_python(rows: list[list[str]]) -> list[list[int]] | None:
    """Pixels as 0 to 255, from shares of 1 if they are written so; None if one is neither."""
    if not all(NUMBER.fullmatch(cell) for cells in rows for cell in cells):
        return None
    values = [[float(cell) for cell in cells] for cells in rows]
    written_as_integers = all(INTEGER.fullmatch(cell) for cells in rows for cell in cells)
    if not written_as_integers and all(0 <= value <= 1 for row in values for value in row):
        return [[round(255 * value) for value in row] for row in values]
    if all(0 <= value <= 255 and value == int(value) for row in values for value in row):
        return [[int(value) for value in row] for row in values]
    return None


def read_or_refused(name: str) -> ImageTable | UserError:
    try:
        return read_table(name)
    except UserError as error:
        return error


@example(file=Damaged("table.csv", b'"label","pixel0"\n""5"","0"\n"0","0"'))
@given(file=damaged_files())
@settings(deadline=None, max_examples=1000)
def test_a_damaged_file_is_refused_or_read_as_python_reads_it(file: Damaged) -> None:
    Path(file.name).write_bytes(file.content)
    outcome = read_or_refused(file.name)
    expected = read_by_python(file)
    if isinstance(outcome, UserError):
        assert expected is None, f"refused without need: {outcome}"
        assert outcome.faults
        assert all(fault.startswith(file.name) for fault in outcome.faults)
        assert not any("\n" in fault or "\r" in fault for fault in outcome.faults)
    else:
        assert expected is not None, "read though it breaks a rule"
        labels, pixels = expected
        assert outcome.labels is not None
        assert [outcome.label_values[index] for index in outcome.labels] == labels
        assert outcome.images.reshape(len(labels), -1).tolist() == pixels


@given(
    row=st.integers(0, 3),
    column=st.integers(1, 4),
    value=st.text(
        st.characters(exclude_categories=["Cs", "Nd"], exclude_characters='",\r\n'), min_size=1
    ).filter(lambda text: text.strip()),
)
@settings(deadline=None, max_examples=300)
def test_a_cell_of_junk_is_found_where_it_stands(row: int, column: int, value: str) -> None:
    rows = [["0", "1", "2", "3", "4"], *[["1", "5", "6", "7", "8"] for _ in range(3)]]
    rows[row][column] = value
    lines = [",".join(cells) for cells in [["label", *"abcd"], *rows]]
    (fault,) = faults_of("\n".join(lines).encode())
    name = ["label", *"abcd"][column]
    assert fault.startswith(f"table.csv, line {row + 2}, column {name}: ")


@pytest.mark.parametrize("spell", [str, "+{}".format, "0{}".format, '"{}"'.format])
def test_quick_and_careful_reading_agree_on_every_pixel(spell: Callable[[int], str]) -> None:
    lines = [f"{spell(value % 7)},{spell(value)}" for value in range(256)]
    Path("table.csv").write_text("\n".join(["label,pixel", *lines]))
    table = read_table("table.csv")
    assert table.images.flatten().tolist() == list(range(256))
    assert table.labels is not None
    assert table.labels.tolist() == [value % 7 for value in range(256)]

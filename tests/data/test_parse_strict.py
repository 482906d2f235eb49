"""Invalid files: the messages, and that no invalid file is read as if it were valid."""

import gzip
import zlib
from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from csvision.data.read_options import ReadOptions
from csvision.data.table import read_table
from csvision.errors import DataError

GOOD = b"label,a,b,c,d\n0,1,2,3,40\n1,5,6,7,80\n"
"""Three lines; tests add lines from line 4 on."""


ONE_PIXEL = ReadOptions(image_shape=[1, 1, 1], pixel_range=255)


def errors_of(
    content: bytes, name: str = "table.csv", options: ReadOptions | None = None
) -> list[str]:
    """Return the error messages for a file with this content."""
    Path(name).write_bytes(content)
    with pytest.raises(DataError) as caught:
        read_table(name, options or ReadOptions())
    return caught.value.messages


def error_of(content: bytes, name: str = "table.csv") -> str:
    """Return the only error message for a file with this content."""
    (message,) = errors_of(content, name)
    return message


CELLS = [
    ("1,5,cat,7,8", "column b: 'cat' is not a number"),
    ("1,5,true,7,8", "column b: 'true' is not a number"),
    ("1,5,0x10,7,8", "column b: '0x10' is not a number"),
    ("1,5,5-3,7,8", "column b: '5-3' is not a number"),
    ("1,5,- 3,7,8", "column b: '- 3' is not a number"),
    ("1,5,,7,8", "column b: '' is missing"),
    ("1,5,  ,7,8", "column b: '  ' is missing"),
    ('1,5,"",7,8', "column b: '' is missing"),
    ("1,5,NaN,7,8", "column b: 'NaN' is missing"),
    ("1,5,NA,7,8", "column b: 'NA' is missing"),
    ("1,5,null,7,8", "column b: 'null' is missing"),
    ("1,5,None,7,8", "column b: 'None' is missing"),
    ("1,256,6,7,8", "column a: '256' is outside 0..255"),
    ("1,5,300,7,8", "column b: '300' is outside 0..255"),
    ("1,5,6,7,65536", "column d: '65536' is outside 0..255"),
    ("1,5,6,7,4294967297", "column d: '4294967297' is outside 0..255"),
    ("1,5,6,7,18446744073709551617", "column d: '18446744073709551617' is outside 0..255"),
    ("1,5,-1,7,8", "column b: '-1' is outside 0..255"),
    ("1,5,1e3,7,8", "column b: '1e3' is outside 0..255"),
    ("1,5,inf,7,8", "column b: 'inf' is not a number"),
    ("1,5,1_000,7,8", "column b: '1_000' is not a number"),
    ("1,5,٣,7,8", "column b: '٣' is not a number"),
    ("1,5,³,7,8", "column b: '³' is not a number"),
    ("1,5,\u00a06,7,8", "column b: '\\xa06' is not a number"),
    ("1,5,6\0,7,8", "column b: '6\\x00' is not a number"),
    ("1,5,\0,7,8", "column b: '\\x00' is not a number"),
    ("1,5,#6,7,8", "column b: '#6' is not a number"),
    ("1,5,1'000,7,8", 'column b: "1\'000" is not a number'),
    ('1,5,6"7",7,8', "column b: '6\"7\"' is not a number"),
    ('1,5,"6\n7",7,8', "column b: '6\\n7' is not a number"),
    ('1,5,"6\r7",7,8', "column b: '6\\r7' is not a number"),
    ('1,5,"6,7",7,8', "column b: '6,7' is not a number; write decimals with a point"),
    ("1.5,5,6,7,8", "column label: '1.5' is not an integer label"),
    ("cat,5,6,7,8", "column label: 'cat' is not an integer label"),
    (",5,6,7,8", "column label: '' is missing"),
    (
        "9223372036854775808,5,6,7,8",
        "column label: '9223372036854775808' is too large for a label of 64 bits",
    ),
    (
        "-9223372036854775809,5,6,7,8",
        "column label: '-9223372036854775809' is too large for a label of 64 bits",
    ),
    (
        "9" * 5000 + ",5,6,7,8",
        "column label: '999999999999...9999999999999' is too large for a label of 64 bits",
    ),
]

ROWS = [
    ("1,5,6,7", "4 cells, but the header has 5"),
    ("1", "1 cells, but the header has 5"),
    ("1,5,6,7,8,9", "6 cells, but the header has 5"),
    ("1,5,6,7,8,", "6 cells, but the header has 5"),
    ("1,5,6,7,8,,", "7 cells, but the header has 5"),
    ("\0", "1 cells, but the header has 5"),
    ("\x1a", "1 cells, but the header has 5"),
    ("1;5;6;7;8", "1 cells, but the header has 5"),
    (
        '1,5,6,7,"8',
        "invalid quotes: unexpected end of data",
    ),
    (
        '1,"5,6,7,8\n0,1,2,3,4\n0,1,2,3,4',
        "invalid quotes: unexpected end of data",
    ),
    (
        '1,"5"6,6,7,8',
        "invalid quotes: ',' expected after '\"'",
    ),
]


@pytest.mark.parametrize(("line", "problem"), CELLS)
def test_invalid_cell_is_reported_with_line_column_and_value(line: str, problem: str) -> None:
    for line_endinging in ("", "\n"):
        content = GOOD + line.encode() + line_endinging.encode()
        assert errors_of(content) == [f"table.csv, line 4, {problem}"]


@pytest.mark.parametrize(("line", "problem"), ROWS)
def test_invalid_row_is_reported_with_its_first_line(line: str, problem: str) -> None:
    for line_endinging in ("", "\n"):
        content = GOOD + line.encode() + line_endinging.encode()
        assert errors_of(content) == [f"table.csv, line 4: {problem}"]


@pytest.mark.parametrize("first", ["9,9,9,9,9,9", "9,9,9,9,9,", "9,9,9,9"])
def test_first_row_must_have_as_many_cells_as_the_header(first: str) -> None:
    header, _, rest = GOOD.partition(b"\n")
    cells = first.count(",") + 1
    assert errors_of(header + f"\n{first}\n".encode() + rest) == [
        f"table.csv, line 2: {cells} cells, but the header has 5"
    ]


def test_rows_that_all_have_too_many_cells_are_reported() -> None:
    # Every row except the header ends with a comma.
    assert errors_of(b"label,a\n0,1,\n1,5,\n", options=ONE_PIXEL) == [
        "table.csv, line 2: 3 cells, but the header has 2",
        "table.csv, line 3: 3 cells, but the header has 2",
    ]


def test_long_row_does_not_compensate_for_a_short_row() -> None:
    assert errors_of(GOOD + b"1,2,3,4\n1,2,3,4,5,6\n") == [
        "table.csv, line 4: 4 cells, but the header has 5",
        "table.csv, line 5: 6 cells, but the header has 5",
    ]


def test_all_errors_are_reported_in_the_order_of_the_file() -> None:
    assert errors_of(GOOD + b'x,300,6,7,-1\n\n1,2\n1,"2"3,4,5,6\n1,2,3,4,nan\n') == [
        "table.csv, line 4, column label: 'x' is not an integer label",
        "table.csv, line 4, column a: '300' is outside 0..255",
        "table.csv, line 4, column d: '-1' is outside 0..255",
        "table.csv, line 6: 2 cells, but the header has 5",
        "table.csv, line 7: invalid quotes: ',' expected after '\"'",
        "table.csv, line 8, column d: 'nan' is missing",
    ]


@pytest.mark.parametrize(("line_ending", "line"), [("\n", 4), ("\r\n", 4), ("\r", 4), ("\n\n", 7)])
def test_line_numbers_are_those_of_an_editor(line_ending: str, line: int) -> None:
    rows = ["label,a,b,c,d", "0,1,1,1,1", "1,1,1,1,1", "0,300,1,1,1"]
    assert errors_of(line_ending.join(rows).encode()) == [
        f"table.csv, line {line}, column a: '300' is outside 0..255"
    ]


def test_cell_of_two_lines_counts_as_two_lines() -> None:
    assert errors_of(GOOD + b'"1\n",1,1,1,1\n0,300,1,1,1\n') == [
        "table.csv, line 6, column a: '300' is outside 0..255"
    ]


@pytest.mark.parametrize(("invalid", "more"), [(20, []), (21, ["table.csv: 1 more errors"])])
def test_errors_after_the_first_20_are_counted(invalid: int, more: list[str]) -> None:
    shown = [f"table.csv, line {line}: 1 cells, but the header has 5" for line in range(4, 24)]
    assert errors_of(GOOD + b"7\n" * invalid) == shown + more


def test_each_invalid_cell_is_counted() -> None:
    messages = errors_of(GOOD + b"x,x,x,x,x\n" * 1000)
    assert len(messages) == 21
    assert messages[-1] == "table.csv: 4980 more errors"


def test_column_without_a_printable_name_is_reported_by_number() -> None:
    header = b"label,,\x08,\x07\n"
    assert errors_of(header[:-1] + b",d\n0,x,y,z,1\n1,1,1,1,1\n") == [
        "table.csv, line 2, column 2: 'x' is not a number",
        "table.csv, line 2, column 3: 'y' is not a number",
        "table.csv, line 2, column 4: 'z' is not a number",
    ]


def test_columns_may_have_equal_names() -> None:
    Path("table.csv").write_bytes(b"y,x,x,x,x\n0,1,2,3,4\n1,5,6,7,80\n")
    assert read_table("table.csv").images[1].tolist() == [[[5, 6], [7, 80]]]
    assert errors_of(b"y,x,x,x,x\n0,1,2,3,4\n1,5,6,300,80\n") == [
        "table.csv, line 3, column x: '300' is outside 0..255"
    ]


def test_invalid_utf8_is_reported_with_line_and_column() -> None:
    assert errors_of(GOOD + b"1,5,\xe9,7,8\n") == [
        "table.csv, line 4, column b: '\\udce9' is not valid UTF-8"
    ]
    assert errors_of(GOOD + b"\xff1,5,6,7,8\n") == [
        "table.csv, line 4, column label: '\\udcff1' is not valid UTF-8"
    ]


@pytest.mark.parametrize(
    "content", [b"\xe9tiquette,a\n0,1\n1,5\n", "label,a\n0,1\n1,5\n".encode("utf-16-le")[1:]]
)
def test_header_in_another_encoding_is_rejected(content: bytes) -> None:
    assert error_of(content).startswith("table.csv, line 1: not valid UTF-8")


NO_TABLE = [
    (b"", "table.csv: the file is empty; "),
    (b"label,a,b,c,d\n", "table.csv: there are no rows below the header; "),
    (b"label,a,b,c,d", "table.csv: there are no rows below the header; "),
    (b"label,a,b,c,d\n\n  \n", "table.csv: there are no rows below the header; "),
    (b"label\n0\n1\n", "table.csv, line 1: there are no pixel columns "),
    (b"label;a\n0;1\n", "table.csv: images of 1 pixels; "),
    (b"label/a\n0/1\n", "table.csv, line 1: there are no pixel columns "),
    (b"\n", "table.csv, line 1: the line is empty; "),
    (b"\n" + GOOD, "table.csv, line 1: the line is empty; "),
    (b"3,0,0,0,0\n1,5,6,7,8\n", "table.csv: it is not clear which column is the label: "),
    (b"0.0,1.5\n1,2\n", "table.csv: it is not clear which column is the label: "),
    (b'label,"a\n0,1\n', "table.csv, line 1: invalid quotes: unexpected end of data"),
    (
        b'label,"' + b"a" * 2**18,
        "table.csv, line 1: invalid quotes: field larger than field limit (131072)",
    ),
]


@pytest.mark.parametrize(("content", "error"), NO_TABLE)
def test_file_without_header_or_rows_is_rejected(content: bytes, error: str) -> None:
    assert error_of(content).startswith(error)


def test_columns_numbered_from_0_are_a_header() -> None:
    Path("table.csv").write_bytes(b"0,1,2,3,4\n0,1,2,3,4\n1,5,6,7,80\n")
    table = read_table("table.csv", ReadOptions(label_column="0"))
    assert len(table.images) == 2
    assert table.label_column == "0"


def test_unclosed_quotes_in_a_large_file_are_reported_where_they_open() -> None:
    assert error_of(GOOD + b'1,"5,6,7,8\n' + b"0,1,2,3,4\n" * 20_000) == (
        "table.csv, line 4: invalid quotes: field larger than field limit (131072)"
    )


def test_file_named_gz_without_compression_is_read_as_text() -> None:
    Path("table.csv.gz").write_bytes(GOOD)
    assert read_table("table.csv.gz").images[1].tolist() == [[[5, 6], [7, 80]]]


def test_file_named_gz_that_is_neither_compressed_nor_text_is_rejected() -> None:
    message = error_of(b"\x00\x01" + GOOD, "table.csv.gz")
    assert message == "table.csv.gz: cannot be read: Not a gzipped file (b'\\x00\\x01')"


def random_gz(rows: int) -> bytes:
    random = Random(0)
    lines = [",".join(str(random.randrange(256)) for _ in range(5)) for _ in range(rows)]
    return gzip.compress("\n".join(["label,a,b,c,d", *lines]).encode(), mtime=0)


TRUNCATED = "Compressed file ended before the end-of-stream marker was reached"


def test_truncated_gz_is_rejected() -> None:
    content = random_gz(20_000)
    half = content[: len(content) // 2]
    assert error_of(half, "table.csv.gz") == (
        f"table.csv.gz: cannot be read to the end: {TRUNCATED}"
    )
    assert error_of(content[:12], "table.csv.gz") == f"table.csv.gz: cannot be read: {TRUNCATED}"


def test_gz_with_a_wrong_checksum_is_rejected_although_all_cells_are_valid() -> None:
    content = random_gz(20_000)
    wrong_checksum = content[:-8] + bytes([content[-8] ^ 1]) + content[-7:]
    message = error_of(wrong_checksum, "table.csv.gz")
    assert message.startswith("table.csv.gz: cannot be read to the end: CRC check failed ")


def test_gz_with_a_damaged_stream_is_rejected() -> None:
    def damaged_after(content: bytes) -> bytes:
        compressor = zlib.compressobj(wbits=31)
        valid = compressor.compress(content) + compressor.flush(zlib.Z_FULL_FLUSH)
        return valid + b"\x07" * 20

    reason = "Error -3 while decompressing data: invalid block type"
    assert error_of(damaged_after(b""), "table.csv.gz") == f"table.csv.gz: cannot be read: {reason}"
    message = error_of(damaged_after(GOOD + b"0,1,2,3,4\n" * 20_000), "table.csv.gz")
    assert message == f"table.csv.gz: cannot be read to the end: {reason}"


# Randomly damaged files are rejected, or read as by Python's csv module.


@pytest.mark.slow
@given(
    row=st.integers(0, 3),
    column=st.integers(1, 4),
    value=st.text(
        st.characters(exclude_categories=["Cs", "Nd"], exclude_characters='",\r\n'), min_size=1
    ).filter(lambda text: text.strip()),
)
@settings(deadline=None, max_examples=300)
def test_invalid_text_is_reported_with_line_and_column(row: int, column: int, value: str) -> None:
    rows = [["0", "1", "2", "3", "4"], *[["1", "95", "96", "97", "98"] for _ in range(3)]]
    rows[row][column] = value
    lines = [",".join(cells) for cells in [["label", *"abcd"], *rows]]
    message = error_of("\n".join(lines).encode())
    name = ["label", *"abcd"][column]
    assert message.startswith(f"table.csv, line {row + 2}, column {name}: ")


@pytest.mark.parametrize("to_text", [str, "+{}".format, "0{}".format, '"{}"'.format])
def test_fast_and_strict_parser_agree_on_every_pixel(to_text: Callable[[int], str]) -> None:
    lines = [f"{to_text(value % 7)},{to_text(value)}" for value in range(256)]
    Path("table.csv").write_text("\n".join(["label,pixel", *lines]))
    table = read_table("table.csv", ONE_PIXEL)
    assert table.images.flatten().tolist() == list(range(256))
    assert table.labels is not None
    assert table.labels.tolist() == [value % 7 for value in range(256)]

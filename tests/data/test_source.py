"""Files of images in every format: the same table, the right places, and refusal of damage."""

import gzip
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path

import numpy as np
import polars
import pytest
import zstandard

from csvision.data import source
from csvision.data.table import ImageTable, read_table
from csvision.errors import DataError

FORMATS = ("csv", "csv.gz", "csv.zst", "parquet")
TEXT = "label,a,b,c,d\n7,0,1,2,3\n3,255,254,253,252\n12,10,20,30,40\n7,5,5,5,5\n3,100,0,0,0\n"
PIXELS = [[0, 1, 2, 3], [255, 254, 253, 252], [10, 20, 30, 40], [5, 5, 5, 5], [100, 0, 0, 0]]
Pack = Callable[[bytes], bytes]
PACKED: dict[str, Pack] = {"csv.gz": gzip.compress, "csv.zst": zstandard.compress}


def save(text: str, name: str = "images.csv") -> str:
    """Write a CSV text in the format that the name ends in."""
    if name.endswith("parquet"):
        polars.read_csv(text.encode()).write_parquet(name)
    else:
        Path(name).write_bytes(PACKED.get(name.partition(".")[2], bytes)(text.encode()))
    return name


def read(path: str) -> ImageTable:
    return read_table(path, cache="none")


def faults(path: str) -> list[str]:
    """What a file is refused with."""
    with pytest.raises(DataError) as refused:
        read(path)
    return refused.value.faults


def assert_equal(table: ImageTable, other: ImageTable) -> None:
    for field in (field for field in fields(ImageTable) if field.name != "sha256"):
        np.testing.assert_array_equal(getattr(table, field.name), getattr(other, field.name))


def large_text(rows: int) -> str:
    """More than one block of any packing, and no two rows alike."""
    pixels = np.random.default_rng(0).integers(0, 256, (rows, 16))
    lines = [f"{index % 2},{','.join(map(str, row))}" for index, row in enumerate(pixels)]
    return "\n".join([",".join(["label", *map(str, range(16))]), *lines, ""])


@pytest.mark.parametrize("ending", FORMATS)
def test_every_format_gives_the_same_table(ending: str) -> None:
    table = read(save(TEXT, f"images.{ending}"))
    assert table.images.dtype == np.uint8
    assert table.images.reshape(5, 4).tolist() == PIXELS
    assert table.image_shape == (1, 2, 2)
    assert table.labels is not None
    assert table.labels.tolist() == [1, 0, 2, 1, 0]
    assert table.label_values == [3, 7, 12]
    assert table.constant.tolist() == [False, False, False, True, False]


@pytest.mark.parametrize("ending", ["csv", "csv.gz", "csv.zst"])
def test_endings_may_be_written_in_capitals(ending: str) -> None:
    path = Path(save(TEXT, f"images.{ending}"))
    renamed = path.rename(f"IMAGES.{ending.upper()}")
    assert_equal(read(str(renamed)), read(save(TEXT)))


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(TEXT.replace("\n", "\r\n"), id="CRLF"),
        pytest.param(TEXT.replace("\n", "\r"), id="CR"),
        pytest.param("\ufeff" + TEXT, id="byte order mark"),
        pytest.param(TEXT.replace("\n12", "\n\n\n12") + "\n\n", id="blank lines"),
        pytest.param(TEXT.replace("\n", "\r\n").replace("\r\n12", "\r\n\r\n12"), id="blank CRLF"),
        pytest.param(TEXT.rstrip("\n"), id="no final newline"),
        pytest.param(TEXT.replace("255,254", '"255","254"'), id="quoted numbers"),
        pytest.param(TEXT.replace("12,10", '"12",10'), id="quoted label"),
        pytest.param(TEXT.replace("label,a", '"label","a"'), id="quoted names"),
        pytest.param(TEXT.replace("12,10", " 12 , 10 "), id="spaces"),
    ],
)
def test_ways_to_write_the_same_file_give_the_same_table(content: str) -> None:
    assert_equal(read(save(content)), read(save(TEXT, "plain.csv")))


def test_the_byte_order_mark_is_no_part_of_the_first_name() -> None:
    table = read_table(save("\ufeff" + TEXT), label="label", cache="none")
    assert table.label_values == [3, 7, 12]


@pytest.mark.parametrize("bytes_at_once", [1, 2, 7, 24, 60])
@pytest.mark.parametrize("ending", FORMATS)
def test_lines_may_straddle_two_pieces(
    ending: str, bytes_at_once: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = read(save(TEXT))
    monkeypatch.setattr(source, "PIECE_BYTES", bytes_at_once)
    assert_equal(read(save(TEXT, f"images.{ending}")), whole)


@pytest.mark.parametrize("bytes_at_once", [1, 13, 40, 8 << 20])
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_faults_name_the_line_whatever_the_pieces(
    newline: str, bytes_at_once: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = ["label,a,b,c,d", "0,1,2,3,4", "", "1,1,2,3,x", "0,1,2,3,4", "", "", "1,999,2,3,4", ""]
    monkeypatch.setattr(source, "PIECE_BYTES", bytes_at_once)
    assert faults(save(newline.join(lines))) == [
        "images.csv, line 4, column d: 'x' is no number",
        "images.csv, line 8, column a: '999' is outside 0 to 255",
    ]


@pytest.mark.parametrize("bytes_at_once", [1, 100, 8 << 20])
def test_faults_name_the_row_of_a_parquet_file(
    bytes_at_once: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    columns = {"label": [0, 1, 0, 1], "a": [1, None, 3, 300]}
    polars.DataFrame(columns).write_parquet("images.parquet")
    monkeypatch.setattr(source, "PIECE_BYTES", bytes_at_once)
    assert faults("images.parquet") == [
        "images.parquet, row 1, column a: '' is missing",
        "images.parquet, row 3, column a: '300' is outside 0 to 255",
    ]


@pytest.mark.parametrize(
    ("cells", "complaint"),
    [
        ([1.0, 5.5], "'5.5' is no whole number from 0 to 255"),
        ([2.0, -0.5], "'-0.5' is outside 0 to 255"),
        ([2.0, 255.9], "'255.9' is outside 0 to 255"),
        ([2.0, float("nan")], "'nan' is missing"),
    ],
)
def test_fractions_in_a_parquet_file_are_not_cut_off(cells: list[float], complaint: str) -> None:
    polars.DataFrame({"label": [0, 1], "a": cells}).write_parquet("images.parquet")
    assert faults("images.parquet") == [f"images.parquet, row 1, column a: {complaint}"]


@pytest.mark.parametrize(
    "type_",
    [
        polars.UInt8,
        polars.Int64,
        polars.Float32,
        polars.Float64,
        polars.String,
        polars.Decimal(9, 2),
    ],
)
def test_parquet_columns_may_be_of_any_type_of_number(type_: type[polars.DataType]) -> None:
    table = polars.DataFrame({"label": ["x", "y"], "a": [0, 255]})
    table.with_columns(polars.col("a").cast(type_)).write_parquet("images.parquet")
    assert read("images.parquet").images.ravel().tolist() == [0, 255]


@pytest.mark.parametrize("ending", ["csv.gz", "csv.zst"])
def test_files_packed_in_several_parts_are_read_to_the_end(ending: str) -> None:
    head, tail = TEXT[:30].encode(), TEXT[30:].encode()
    pack = PACKED[ending]
    Path(f"images.{ending}").write_bytes(pack(head) + pack(tail))
    assert_equal(read(f"images.{ending}"), read(save(TEXT)))


@pytest.mark.parametrize("share", [0.05, 0.5, 0.99])
@pytest.mark.parametrize("ending", FORMATS[1:])
def test_a_file_cut_short_is_refused(ending: str, share: float) -> None:
    path = Path(save(large_text(3000), f"images.{ending}"))
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])
    (fault,) = faults(str(path))
    assert fault.startswith(str(path))
    assert "cannot be read" in fault


@pytest.mark.parametrize("ending", ["csv.gz", "csv.zst"])
def test_damage_in_a_packed_file_is_refused_in_one_line(ending: str) -> None:
    path = Path(save(large_text(3000), f"images.{ending}"))
    content = path.read_bytes()
    for place in range(100, len(content), len(content) // 20):
        # A run of ones is hardly ever what the packing allows; what it allows, the checks find.
        path.write_bytes(content[:place] + b"\xff" * 50 + content[place + 50 :])
        assert all(fault.startswith(str(path)) for fault in faults(str(path)))


def test_lines_after_a_cut_last_line_are_not_made_up() -> None:
    assert faults(save(TEXT + "3,1,2")) == ["images.csv, line 7: 3 cells where the header has 5"]


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ("label,a\n", "has a header and no rows"),
        ("label,a", "has a header and no rows"),
        ("label,a\n\n\r\n\n", "has a header and no rows"),
        ("\n1,2\n", "line 1 is empty"),
        ("5,1,2,3,4\n6,1,2,3,4\n", "line 1 holds numbers"),
        ("label\n0\n1\n", "no pixel columns"),
    ],
)
def test_a_file_without_header_or_rows_is_refused(content: str, complaint: str) -> None:
    (fault,) = faults(save(content))
    assert fault.startswith("images.csv")
    assert complaint in fault


def test_a_parquet_file_without_rows_is_refused() -> None:
    polars.DataFrame({"label": [0], "a": [0]}).clear().write_parquet("images.parquet")
    assert faults("images.parquet") == ["images.parquet has a header and no rows"]


@pytest.mark.parametrize(
    ("name", "complaint"),
    [
        ("absent.csv", "there is no such file"),
        ("folder.csv", "is a folder"),
        ("empty.parquet", "is empty"),
    ],
)
def test_what_is_no_file_of_images_is_refused(name: str, complaint: str) -> None:
    Path("folder.csv").mkdir()
    Path("empty.parquet").touch()
    (fault,) = faults(name)
    assert fault.startswith(name)
    assert complaint in fault

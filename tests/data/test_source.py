"""Every file format gives the same table and the same locations; damaged files are rejected."""

import gzip
import os
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path

import numpy as np
import polars
import pytest
import zstandard

from csvision.data import source
from csvision.data.read_options import ReadOptions
from csvision.data.table import ImageTable, read_table
from csvision.errors import DataError

FORMATS = ("csv", "csv.gz", "csv.zst", "parquet")
TEXT = "label,a,b,c,d\n7,0,1,2,3\n3,255,254,253,252\n12,10,20,30,40\n7,5,5,5,5\n3,100,0,0,0\n"
PIXELS = [[0, 1, 2, 3], [255, 254, 253, 252], [10, 20, 30, 40], [5, 5, 5, 5], [100, 0, 0, 0]]
Compress = Callable[[bytes], bytes]
COMPRESS: dict[str, Compress] = {"csv.gz": gzip.compress, "csv.zst": zstandard.compress}
OPTIONS = ReadOptions(cache="none")
ONE_PIXEL = ReadOptions(image_shape=[1, 1, 1], pixel_range=255, cache="none")


def save(text: str, name: str = "images.csv") -> str:
    """Write a CSV text in the format given by the suffix of the name."""
    if name.endswith("parquet"):
        polars.read_csv(text.encode()).write_parquet(name)
    else:
        compress = COMPRESS.get(name.partition(".")[2], bytes)
        Path(name).write_bytes(compress(text.encode()))
    return name


def errors_of(path: str, options: ReadOptions = OPTIONS) -> list[str]:
    """Return all messages of the error raised for a file."""
    with pytest.raises(DataError) as error:
        read_table(path, options)
    return error.value.messages


def assert_equal(table: ImageTable, other: ImageTable) -> None:
    for field in (field for field in fields(ImageTable) if field.name != "sha256"):
        np.testing.assert_array_equal(getattr(table, field.name), getattr(other, field.name))


def large_text(rows: int) -> str:
    """Return a text of more than one compressed block, with distinct rows."""
    pixels = np.random.default_rng(0).integers(0, 256, (rows, 16))
    lines = [f"{index % 2},{','.join(map(str, row))}" for index, row in enumerate(pixels)]
    return "\n".join([",".join(["label", *map(str, range(16))]), *lines, ""])


@pytest.mark.parametrize("suffix", FORMATS)
def test_every_format_gives_the_same_table(suffix: str) -> None:
    table = read_table(save(TEXT, f"images.{suffix}"), OPTIONS)
    assert table.images.dtype == np.uint8
    assert table.images.reshape(5, 4).tolist() == PIXELS
    assert table.image_shape == (1, 2, 2)
    assert table.labels is not None
    assert table.labels.tolist() == [1, 0, 2, 1, 0]
    assert table.label_values == [3, 7, 12]
    assert table.constant.tolist() == [False, False, False, True, False]


@pytest.mark.parametrize("suffix", ["csv", "csv.gz", "csv.zst"])
def test_suffix_may_be_upper_case(suffix: str) -> None:
    path = Path(save(TEXT, f"images.{suffix}"))
    renamed = path.rename(f"IMAGES.{suffix.upper()}")
    assert_equal(read_table(str(renamed), OPTIONS), read_table(save(TEXT), OPTIONS))


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
def test_equivalent_texts_give_the_same_table(content: str) -> None:
    table = read_table(save(content), OPTIONS)
    assert_equal(table, read_table(save(TEXT, "plain.csv"), OPTIONS))


def test_byte_order_mark_is_not_part_of_the_first_name() -> None:
    options = ReadOptions(label_column="label", cache="none")
    assert read_table(save("\ufeff" + TEXT), options).label_values == [3, 7, 12]


@pytest.mark.parametrize("chunk_bytes", [1, 2, 7, 24, 60])
@pytest.mark.parametrize("suffix", FORMATS)
def test_chunk_size_does_not_change_the_table(
    suffix: str, chunk_bytes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = read_table(save(TEXT), OPTIONS)
    monkeypatch.setattr(source, "CHUNK_BYTES", chunk_bytes)
    assert_equal(read_table(save(TEXT, f"images.{suffix}"), OPTIONS), expected)


@pytest.mark.parametrize("chunk_bytes", [1, 13, 40, 8 << 20])
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_errors_name_the_line_for_every_chunk_size(
    newline: str, chunk_bytes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = ["label,a,b,c,d", "0,1,2,3,4", "", "1,1,2,3,x", "0,1,2,3,4", "", "", "1,999,2,3,4", ""]
    monkeypatch.setattr(source, "CHUNK_BYTES", chunk_bytes)
    assert errors_of(save(newline.join(lines))) == [
        "images.csv, line 4, column d: 'x' is not a number",
        "images.csv, line 8, column a: '999' is outside 0..255",
    ]


@pytest.mark.parametrize("chunk_bytes", [1, 100, 8 << 20])
def test_errors_name_the_row_of_a_parquet_file(
    chunk_bytes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    columns = {"label": [0, 1, 0, 1], "a": [1, None, 3, 300]}
    polars.DataFrame(columns).write_parquet("images.parquet")
    monkeypatch.setattr(source, "CHUNK_BYTES", chunk_bytes)
    assert errors_of("images.parquet", ONE_PIXEL) == [
        "images.parquet, row 1, column a: '' is missing",
        "images.parquet, row 3, column a: '300' is outside 0..255",
    ]


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        ([2.0, -0.5], "'-0.5' is outside 0..255"),
        ([2.0, 255.9], "'255.9' is outside 0..255"),
        ([2.0, float("nan")], "'nan' is missing"),
    ],
)
def test_fractions_in_a_parquet_file_are_not_truncated(cells: list[float], expected: str) -> None:
    polars.DataFrame({"label": [0, 1], "a": cells}).write_parquet("images.parquet")
    assert errors_of("images.parquet", ONE_PIXEL) == [
        f"images.parquet, row 1, column a: {expected}"
    ]


def test_fractions_up_to_255_are_rounded_with_a_notice() -> None:
    columns = {"label": [0, 1, 0], "a": [1.0, 5.4, 255.0], "b": [2.6, 3.0, 0.0]}
    polars.DataFrame(columns).write_parquet("images.parquet")
    table = read_table("images.parquet", ReadOptions(image_shape=[1, 1, 2], cache="none"))
    assert table.images.reshape(3, 2).tolist() == [[1, 3], [5, 3], [255, 0]]
    assert table.notices == ["2 pixels are not whole numbers and were rounded"]


@pytest.mark.parametrize(
    "dtype",
    [
        polars.UInt8,
        polars.Int64,
        polars.Float32,
        polars.Float64,
        polars.String,
        polars.Decimal(9, 2),
    ],
)
def test_parquet_columns_may_have_any_numeric_type(dtype: type[polars.DataType]) -> None:
    frame = polars.DataFrame({"label": ["x", "y"], "a": [0, 255]})
    frame.with_columns(polars.col("a").cast(dtype)).write_parquet("images.parquet")
    assert read_table("images.parquet", ONE_PIXEL).images.ravel().tolist() == [0, 255]


@pytest.mark.parametrize("suffix", ["csv.gz", "csv.zst"])
def test_files_of_several_compressed_frames_are_read_completely(suffix: str) -> None:
    head, tail = TEXT[:30].encode(), TEXT[30:].encode()
    compress = COMPRESS[suffix]
    Path(f"images.{suffix}").write_bytes(compress(head) + compress(tail))
    assert_equal(read_table(f"images.{suffix}", OPTIONS), read_table(save(TEXT), OPTIONS))


@pytest.mark.parametrize("fraction", [0.05, 0.5, 0.99])
@pytest.mark.parametrize("suffix", FORMATS[1:])
def test_truncated_file_is_rejected(suffix: str, fraction: float) -> None:
    path = Path(save(large_text(3000), f"images.{suffix}"))
    content = path.read_bytes()
    path.write_bytes(content[: int(fraction * len(content))])
    (message,) = errors_of(str(path))
    assert message.startswith(f"{path}: cannot be read")


@pytest.mark.parametrize("suffix", ["csv.gz", "csv.zst"])
def test_damaged_compressed_file_is_rejected(suffix: str) -> None:
    path = Path(save(large_text(3000), f"images.{suffix}"))
    content = path.read_bytes()
    for start in range(100, len(content), len(content) // 20):
        # Decompression fails for nearly every run of ones; the checks of the cells find the rest.
        path.write_bytes(content[:start] + b"\xff" * 50 + content[start + 50 :])
        assert all(message.startswith(str(path)) for message in errors_of(str(path)))


def test_incomplete_last_line_is_rejected() -> None:
    assert errors_of(save(TEXT + "3,1,2")) == ["images.csv, line 7: 3 cells, but the header has 5"]


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("label,a,b,c,d\n", ": there are no rows"),
        ("label,a,b,c,d", ": there are no rows"),
        ("label,a,b,c,d\n\n\r\n\n", ": there are no rows"),
        ("label,a,b,c,d,e,f\n", ": there are no rows below the header"),
        ("\n1,2\n", ", line 1: the line is empty"),
        ("5,1,2,3,4\n6,1,2,3,4\n", ": it is not clear which column is the label"),
        ("label\n0\n1\n", ", line 1: there are no pixel columns"),
    ],
)
def test_file_without_header_or_rows_is_rejected(content: str, expected: str) -> None:
    (message,) = errors_of(save(content))
    assert message.startswith(f"images.csv{expected}")


def test_parquet_file_without_rows_is_rejected() -> None:
    polars.DataFrame({"label": [0], "a": [0], "b": [0], "c": [0], "d": [0]}).clear().write_parquet(
        "images.parquet"
    )
    (message,) = errors_of("images.parquet")
    assert message.startswith("images.parquet: there are no rows")


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("absent.csv", "file not found"),
        ("folder.csv", "no images"),
        ("empty.parquet", "the file is empty"),
        ("pipe.csv", "is a pipe or a device"),
        ("/dev/null", "is a pipe or a device"),
    ],
)
def test_path_that_is_not_an_image_file_is_rejected(name: str, expected: str) -> None:
    Path("folder.csv").mkdir()
    Path("empty.parquet").touch()
    os.mkfifo("pipe.csv")
    (message,) = errors_of(name)
    assert message.startswith(f"{name}: {expected}")


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("nowhere.csv", "nowhere.csv: file not found; check data.csv"),
        ("folder", "folder: no images"),
        ("", ".: no images"),
        ("no\0where.csv", "no\0where.csv: file not found; check data.csv"),
        (
            "outputs/data/fashion_mnist/train.csv",
            "outputs/data/fashion_mnist/train.csv: file not found; "
            "create it with csvision prepare-fashion-mnist",
        ),
        ("~nobody_of_that_name/a.csv", "~nobody_of_that_name/a.csv: not a valid path ("),
        ("x" * 300, "x" * 300 + ": not a valid path ("),
    ],
)
def test_invalid_path_is_rejected_with_a_hint(path: str, expected: str) -> None:
    Path("folder").mkdir()
    (message,) = errors_of(path)
    assert message.startswith(expected)
    assert "; " in message
    assert "CLASS/1.png" in message or "fashion_mnist" in path or "check data.csv" in message

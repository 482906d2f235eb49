"""Broken or ambiguous files of public conventions: the message has the place and the key."""

import bz2
import gzip
import io
import lzma
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars
import pytest
from PIL import Image

from csvision.data.read_options import ReadOptions
from csvision.data.table import read_table
from csvision.errors import DataError
from tests.data.conventions.binary_files import arff_text, encode, write_images
from tests.data.conventions.images import gray
from tests.data.conventions.write import (
    column,
    pixel_names,
    rows_of,
    to_text,
    write_csv,
)

AUTO = ReadOptions(cache="none")
CONTENT = gray()
HEADER = ["label", *pixel_names(25)]


@dataclass(frozen=True)
class Refused:
    """A file that is refused, with parts of the first message; `options` are those of reading."""

    write: Callable[[], Any]
    parts: tuple[str, ...]
    path: str = "images.csv"
    options: ReadOptions = AUTO


def text(content: str | bytes, name: str = "images.csv") -> int:
    """Write a file; return its size."""
    return Path(name).write_bytes(content if isinstance(content, bytes) else content.encode())


def unlabeled(labels: str) -> Callable[[], int]:
    """Return a function that writes images without labels, and a file of labels."""

    def write() -> int:
        text(to_text(rows_of(CONTENT, None), pixel_names(25)))
        return text(labels, "labels.csv")

    return write


def half_a_zip() -> None:
    two_in_a_zip()
    text(Path("images.zip").read_bytes()[:300], "images.zip")


def other_rows(change: Callable[[int, list[Any]], list[Any]]) -> str:
    """Write the rows, each changed by its number."""
    return write_csv([change(row, cells) for row, cells in enumerate(rows_of(CONTENT))], HEADER)


def with_cell(row: int, cell: object, column: int = 3) -> list[list[Any]]:
    """Return the rows with another cell."""
    rows = rows_of(CONTENT)
    rows[row][column] = cell
    return rows


def plain(header: list[str] | None = HEADER) -> str:
    """Return the text of the digit recognizer."""
    return to_text(rows_of(CONTENT), header)


def two_in_a_zip() -> None:
    with zipfile.ZipFile("images.zip", "w") as archive:
        archive.writestr("train.csv", plain())
        archive.writestr("test.csv", plain())


def none_in_a_zip() -> None:
    zipfile.ZipFile("images.zip", "w").close()


def excel_file() -> None:
    with zipfile.ZipFile("images.xlsx", "w") as archive:
        archive.writestr("[Content_Types].xml", "")
        archive.writestr("xl/workbook.xml", "")


def false_npz() -> None:
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        header, {"descr": "|u1", "fortran_order": False, "shape": (10**15, 28, 28)}
    )
    with zipfile.ZipFile("images.npz", "w") as archive:
        archive.writestr("x.npy", header.getvalue() + b"x")
        archive.writestr("y.npy", header.getvalue() + b"x")


def large_zip() -> None:
    with zipfile.ZipFile("images.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("train.csv", plain() + "\n" * (1 << 22))


def npz(**arrays: Any) -> Callable[[], None]:
    return lambda: np.savez("images.npz", **arrays)


def parquet(**columns: Any) -> Callable[[], None]:
    return lambda: polars.DataFrame(columns).write_parquet("images.parquet")


def folder_with(name: str, content: bytes) -> Callable[[], None]:
    def write() -> None:
        write_images("images", gray(8))
        Path("images/cat", name).write_bytes(content)

    return write


def scaled(factor: float, shift: float = 0) -> str:
    rows = [[row[0], *(value * factor + shift for value in row[1:])] for row in rows_of(CONTENT)]
    return to_text(rows, HEADER)


def fer(pixels: list[list[int]]) -> str:
    rows = [[row % 4, " ".join(map(str, values))] for row, values in enumerate(pixels)]
    return to_text(rows, ["emotion", "pixels"])


EVEN = column(CONTENT, range(100, 220, 2), rows_of(CONTENT))
PIXELS = CONTENT.pixels.tolist()
NEGATIVE_LABELS = [[50 - row[0], *row[1:]] for row in rows_of(CONTENT)]
SUBMISSION = to_text([[row, row % 10] for row in range(50)], ["ImageId", "Label"])


def flat_folder() -> None:
    """Write two images into one folder."""
    Path("images").mkdir()
    for row in range(2):
        Path(f"images/{row}.png").write_bytes(encode(CONTENT.images[row]))


LONG = ReadOptions(max_decompressed_gib=1e-4, cache="none")
LABELS = ReadOptions(labels_csv="labels.csv", cache="none")

REFUSED: dict[str, Refused] = {
    # Which column is the label
    "two columns with names of labels": Refused(
        lambda: write_csv(column(CONTENT, "ab" * 30, rows_of(CONTENT)), ["class", *HEADER]),
        ("class (2 distinct values", "label (4 distinct values", "data.label_column=class"),
    ),
    "no names and no class numbers": Refused(
        lambda: write_csv(NEGATIVE_LABELS),
        ("not clear which column is the label", "4 distinct values", "data.label_column="),
    ),
    "two columns of class numbers": Refused(
        lambda: write_csv([[*row, row[0]] for row in rows_of(CONTENT)]),
        ("not clear which column is the label", "data.label_column="),
    ),
    "only pixels": Refused(
        lambda: write_csv(rows_of(CONTENT, None), pixel_names(25)),
        ("no label column", "data.label_column=", "data.labels_csv="),
    ),
    "two columns beside numbered pixels": Refused(
        lambda: write_csv(
            column(CONTENT, range(100, 220, 2), rows_of(CONTENT)), ["a", "b", *HEADER[1:]]
        ),
        ("not clear which column is the label", "a (60 distinct", "data.ignore="),
    ),
    "an unknown column beside the label": Refused(
        lambda: write_csv(EVEN, ["writer", *HEADER]),
        ("column writer: neither a pixel nor the label", "data.ignore=[writer]"),
    ),
    "label_column that does not exist": Refused(
        lambda: text(plain()),
        ("line 1: no column is named 'digit'", "data.label_column"),
        options=ReadOptions(label_column="digit", cache="none"),
    ),
    "ignored column that does not exist": Refused(
        lambda: text(plain()),
        ("no column is named 'writer'", "data.ignore"),
        options=ReadOptions(ignore=["writer"], cache="none"),
    ),
    "identifiers as labels": Refused(
        lambda: write_csv(column(CONTENT, range(7, 67), rows_of(CONTENT, None)), HEADER),
        ("each row has another value", "60 distinct values", "data.label_column="),
    ),
    "no label but identifiers": Refused(
        lambda: write_csv(column(CONTENT, range(60), rows_of(CONTENT, None)), ["id", *HEADER[1:]]),
        ("no label column", "data.labels_csv="),
    ),
    "a submission file": Refused(
        lambda: text(SUBMISSION), ("there are no pixel columns besides the label",)
    ),
    "one class": Refused(
        lambda: write_csv([[5, *row[1:]] for row in rows_of(CONTENT)], HEADER),
        ("the only label is 5", "data.label_column="),
    ),
    "text in a pixel column": Refused(
        lambda: write_csv([[*row[:3], "x", *row[4:]] for row in rows_of(CONTENT)], HEADER),
        ("column pixel2: 'x' is text", "data.ignore=[pixel2]"),
    ),
    # Images
    "one pixel too many": Refused(
        lambda: write_csv(
            [[*row, 7] for row in rows_of(CONTENT)], ["label", *(f"x{'y' * i}" for i in range(26))]
        ),
        ("26 pixel columns", "one less", "data.ignore="),
    ),
    "no square": Refused(
        lambda: write_csv([row[:-1] for row in rows_of(CONTENT)], HEADER[:-1]),
        ("24 pixel columns", "data.image_shape", "[1,4,6]"),
    ),
    "another shape": Refused(
        lambda: text(plain()),
        ("25 pixel columns", "needs 24", "data.image_shape"),
        options=ReadOptions(image_shape=[1, 4, 6], cache="none"),
    ),
    "rows of unequal length": Refused(
        lambda: other_rows(lambda row, cells: cells[: 20 + row % 5]),
        ("line 2: 20 cells, but the header has 26",),
    ),
    "names that count unclear channels": Refused(
        lambda: write_csv(
            [[row % 2, *[row] * 27] for row in range(20)],
            ["label", *(f"p{a}_{b}_{c}" for a in range(3) for b in range(3) for c in range(3))],
        ),
        ("not clear which of these are the channels", "data.image_shape", "data.layout"),
    ),
    # Pixel ranges
    "pixels from 0 to 9": Refused(
        lambda: other_rows(lambda _, cells: [cells[0], *(value % 10 for value in cells[1:])]),
        ("the largest pixel is 9", "data.pixel_range=9", "data.pixel_range=255"),
    ),
    "pixels from -1 to 1": Refused(
        lambda: text(scaled(1 / 127.5, -1)), ("pixels from -1 to 1", "data.pixel_range=", "[-1,1]")
    ),
    "standardized pixels": Refused(
        lambda: text(scaled(1 / 70, -1.5)), ("pixels from -1.5 to 2.1", "data.pixel_range=[")
    ),
    "pixels of 16 bits": Refused(
        lambda: text(scaled(257)), ("pixels from 0 to 65535", "data.pixel_range=", "[0,65535]")
    ),
    "a negative pixel": Refused(
        lambda: write_csv(with_cell(4, -3), HEADER), ("line 6, column pixel2: '-3' is outside",)
    ),
    "a pixel above 255": Refused(
        lambda: write_csv(with_cell(4, 256), HEADER), ("line 6, column pixel2: '256' is outside",)
    ),
    "a pixel outside the given range": Refused(
        lambda: write_csv(with_cell(4, 200), HEADER),
        ("is outside 0..100",),
        options=ReadOptions(pixel_range=100, cache="none"),
    ),
    "true among bytes": Refused(
        lambda: write_csv(with_cell(4, True), HEADER), ("line 6, column pixel2: 'True' is not a",)
    ),
    "decimal commas": Refused(
        lambda: text(to_text(with_cell(4, "0,5"), HEADER, ";")),
        ("line 6, column pixel2: '0,5' is not a number", "decimals with a point"),
    ),
    # Headers
    "numbers beside the name of a label": Refused(
        lambda: text("label," + ",".join(str(v) for v in PIXELS[0]) + "\n" + plain(None)),
        ("line 1: 'label' is the name of a label", "data.header=true", "data.header=false"),
    ),
    "an error in line 1 of a file without header": Refused(
        lambda: write_csv(with_cell(0, "x")), ("line 1, column 3: 'x' is not a number",)
    ),
    "a short row in a file without header": Refused(
        lambda: text(plain(None) + "1,2,3\n"), ("line 61: 3 cells, but the first line has 26",)
    ),
    "names of a file whose header is turned off": Refused(
        lambda: text(plain()),
        ("line 1, column 0: 'label' is not an integer label",),
        options=ReadOptions(header=False, label_column="0", cache="none"),
    ),
    "invalid quotes in the header": Refused(
        lambda: text('label,"a\n' + plain(None)), ("line 1: invalid quotes",)
    ),
    # Labels
    "a missing text label": Refused(
        lambda: other_rows(lambda row, cells: ["" if row == 3 else "abcd"[row % 4], *cells[1:]]),
        ("line 5, column label: '' is missing",),
    ),
    "a fraction among integer labels": Refused(
        lambda: write_csv(with_cell(4, 1.5, 0), HEADER),
        ("line 6, column label: '1.5' is not an integer label",),
    ),
    "a typo among integer labels": Refused(
        lambda: write_csv(with_cell(4, "1O", 0), HEADER),
        ("line 6, column label: '1O' is not an integer label",),
    ),
    "two columns of one-hot labels are 1": Refused(
        lambda: write_csv(
            [
                [*row[1:], *(1 if row[0] == i or n == 59 else 0 for i in range(4))]
                for n, row in enumerate(rows_of(CONTENT))
            ],
            [*pixel_names(25), *"abcd"],
        ),
        ("not clear which column is the label",),
    ),
    "an unknown split": Refused(
        lambda: write_csv(
            [["Training" if n < 50 else "Unused", *row] for n, row in enumerate(rows_of(CONTENT))],
            ["Usage", *HEADER],
        ),
        ("row 50, column Usage: 'Unused' is not train, val or test", "data.ignore"),
    ),
    # Two files
    "fewer labels than images": Refused(
        unlabeled("1\n2\n"),
        ("labels.csv: 2 labels, but 60 images",),
        options=LABELS,
    ),
    "labels twice": Refused(
        lambda: (text(plain()), text("1\n2\n", "labels.csv")),
        ("images.csv: has labels itself", "data.labels_csv"),
        options=LABELS,
    ),
    "three columns of labels": Refused(
        unlabeled("1,2,3\n" * 60),
        ("labels.csv: 3 columns", "data.labels_csv"),
        options=LABELS,
    ),
    "identifiers of labels that do not count the images": Refused(
        unlabeled("".join(f"{60 - row},{row % 2}\n" for row in range(60))),
        ("labels.csv: the images have no identifiers",),
        options=LABELS,
    ),
    "an image without a label": Refused(
        lambda: (
            write_csv(column(CONTENT, range(60), rows_of(CONTENT, None)), ["id", *HEADER[1:]]),
            text("".join(f"{row + 1},{row % 2}\n" for row in range(60)), "labels.csv"),
        ),
        ("labels.csv: no label for '0'",),
        options=LABELS,
    ),
    "a missing file of labels": Refused(
        lambda: text(to_text(rows_of(CONTENT, None), pixel_names(25))),
        ("labels.csv: file not found",),
        options=LABELS,
    ),
    # Packed files
    "a zip of two files": Refused(
        two_in_a_zip, ("2 files (train.csv, test.csv", "extract the one to read"), "images.zip"
    ),
    "an empty zip": Refused(none_in_a_zip, ("contains no files",), "images.zip"),
    "a large file in a zip": Refused(
        large_zip, ("more than 0.0001 GiB", "data.max_decompressed_gib"), "images.zip", LONG
    ),
    "a large bzip2 file": Refused(
        lambda: text(bz2.compress((plain() + "\n" * (1 << 22)).encode())),
        ("more than 0.0001 GiB", "data.max_decompressed_gib"),
        options=LONG,
    ),
    "a large xz file": Refused(
        lambda: text(lzma.compress((plain() + "\n" * (1 << 22)).encode())),
        ("more than 0.0001 GiB", "data.max_decompressed_gib"),
        options=LONG,
    ),
    "half an xz file": Refused(
        lambda: text(lzma.compress(plain().encode())[:500]), ("cannot be read",)
    ),
    "half a bzip2 file": Refused(
        lambda: text(bz2.compress(plain().encode())[:500]), ("cannot be read",)
    ),
    "half a gzip file named csv": Refused(
        lambda: text(gzip.compress(plain().encode())[:500]), ("cannot be read",)
    ),
    "half a zip file": Refused(
        half_a_zip,
        ("images.zip: cannot be read",),
        "images.zip",
    ),
    "UTF-16 without a byte order mark": Refused(
        lambda: text(plain().encode("utf-16-le")), ("line 1: not valid UTF-8", "save the file")
    ),
    "half a character of UTF-16": Refused(
        lambda: text(plain().encode("utf-16")[:-1]), ("cannot be read",)
    ),
    # Formats that are not read
    "an array of NumPy": Refused(
        lambda: np.save("images.npy", CONTENT.images),
        ("images.npy: is a NumPy array", "numpy.savez"),
        "images.npy",
    ),
    "a single image": Refused(
        lambda: text(encode(CONTENT.images[0]), "images.png"),
        ("images.png: is a single image", "one folder per class"),
        "images.png",
    ),
    "a new Excel file": Refused(
        excel_file, ("images.xlsx: is an Excel file; save the table as CSV",), "images.xlsx"
    ),
    "an old Excel file": Refused(
        lambda: text(b"\xd0\xcf\x11\xe0" + bytes(500), "images.xls"),
        ("images.xls: is an Excel file; save the table as CSV",),
        "images.xls",
    ),
    "an HDF5 file": Refused(
        lambda: text(b"\x89HDF\r\n\x1a\n" + bytes(500)), ("images.csv: is an HDF5 file",)
    ),
    # Arrays
    "npz without labels": Refused(
        npz(x=CONTENT.images[:, 0]), ("images.npz: no array of labels; name it y",), "images.npz"
    ),
    "npz with fewer labels": Refused(
        npz(x=CONTENT.images[:, 0], y=[0, 1]), ("60 images, but 2 labels",), "images.npz"
    ),
    "npz of objects": Refused(
        npz(x=np.array([{}, []], object), y=[0, 1]), ("images.npz: ",), "images.npz"
    ),
    "npz with images of unclear shape": Refused(
        npz(x=np.zeros((4, 3, 5, 3), np.uint8), y=[0, 1, 0, 1]),
        ("images of shape [3, 5, 3]", "data.image_shape"),
        "images.npz",
    ),
    "npz that is too large": Refused(
        npz(x=np.zeros((400, 64, 64), np.uint8), y=np.arange(400) % 2),
        ("more than 0.0001 GiB",),
        "images.npz",
        LONG,
    ),
    "npz whose header claims a huge array": Refused(
        false_npz, ("images.npz: ", "save arrays of numbers"), "images.npz"
    ),
    "ARFF with a string": Refused(
        lambda: text(arff_text(CONTENT).replace("class {", "class string %{"), "images.arff"),
        ("images.arff: not a valid ARFF file",),
        "images.arff",
    ),
    "ARFF with a value outside its set": Refused(
        lambda: text(arff_text(CONTENT) + "\n" + ",".join(["9"] * 26), "images.arff"),
        ("images.arff: not a valid ARFF file",),
        "images.arff",
    ),
    "parquet with lists of unequal length": Refused(
        parquet(image=[[1] * 25, [2] * 25, [3] * 24], label=[0, 1, 0]),
        ("row 2, column image: shape (24,)", "pad"),
        "images.parquet",
    ),
    "parquet with a missing image": Refused(
        parquet(image=[[1] * 25, None], label=[0, 1]),
        ("row 1, column image: the image is missing",),
        "images.parquet",
    ),
    "parquet with bytes that are no image": Refused(
        parquet(image=[encode(CONTENT.images[0]), b"x" * 60], label=[0, 1]),
        ("row 1, column image: not a readable image",),
        "images.parquet",
    ),
    "parquet with two columns of images": Refused(
        parquet(a=[[1] * 25] * 2, b=[[1] * 25] * 2, label=[0, 1]),
        ("columns a and b both contain images",),
        "images.parquet",
    ),
    "Python code": Refused(
        lambda: Path("train.py").write_text("import numpy as np\nimport torch\n"),
        ("train.py: is Python code",),
        "train.py",
    ),
    # Folders
    "a folder without images": Refused(
        lambda: Path("images").mkdir(), ("no images", "CLASS"), "images"
    ),
    "a folder of images without classes": Refused(
        flat_folder,
        ("images: the images have no labels", "images/CLASS/0.png", "data.labels_csv=FILE"),
        "images",
    ),
    "a folder of large images": Refused(
        lambda: write_images("images", gray(3, 200, 200)),
        ("images: decompresses to more than 0.0001 GiB", "data.max_decompressed_gib"),
        "images",
        LONG,
    ),
    "a folder with an image of another size": Refused(
        folder_with("z.png", encode(gray(1, 7, 5).images[0])),
        ("z.png: 7x5 pixels (height x width), but images/", "/000.png has 5x5", "resize or pad"),
        "images",
    ),
    "a folder with a damaged image": Refused(
        folder_with("z.png", encode(CONTENT.images[0])[:40]),
        ("z.png: not a readable image",),
        "images",
    ),
    "a folder with a text named png": Refused(
        folder_with("z.png", b"not an image"), ("z.png: not a readable image",), "images"
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_file_is_refused_with_place_and_key(name: str) -> None:
    case = REFUSED[name]
    case.write()
    with pytest.raises(DataError) as caught:
        read_table(case.path, case.options)
    assert all("\n" not in message for message in caught.value.messages)
    first = caught.value.messages[0]
    for part in case.parts:
        assert part in first


def test_images_of_unequal_size_are_advised_to_be_padded() -> None:
    write_csv([row[: 20 + index % 5] for index, row in enumerate(rows_of(CONTENT))], HEADER)
    with pytest.raises(DataError) as caught:
        read_table("images.csv", ReadOptions(cache="none"))
    assert "pad" in caught.value.messages[-1]
    text(fer([pixels[: 25 - index % 5] for index, pixels in enumerate(PIXELS)]))
    with pytest.raises(DataError) as caught:
        read_table("images.csv", ReadOptions(cache="none"))
    assert "pad" in caught.value.messages[-1]


@pytest.mark.slow
def test_image_bomb_is_refused() -> None:
    buffer = io.BytesIO()
    Image.new("1", (20_000, 20_000)).save(buffer, "PNG")
    parquet(image=[buffer.getvalue()] * 2, label=[0, 1])()
    with pytest.raises(DataError, match=r"too large|exceeds limit"):
        read_table("images.parquet", ReadOptions(cache="none"))

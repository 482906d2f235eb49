"""Tables contain exactly the values in the file, however the file is formatted."""

import csv
import gzip
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from csvision.data.cells import is_number
from csvision.data.data_spec import DataSpec
from csvision.data.names import is_id_name, is_label_name
from csvision.data.open_source import resolve_path
from csvision.data.read_options import ReadOptions
from csvision.data.table import ImageTable, read_table
from csvision.errors import DataError

FASHION_CLASSES = [
    *("T-shirt/top", "Trouser", "Pullover", "Dress", "Coat"),
    *("Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"),
]
ONE_PIXEL = ReadOptions(image_shape=[1, 1, 1], pixel_range=255)
SMALLEST, LARGEST = -(2**63), 2**63 - 1


@dataclass(frozen=True)
class WrittenFile:
    """A file of square images and its formatting."""

    name: str
    header: list[str]
    labels: list[int]
    pixels: list[list[int]]
    line_ending: str
    blank_lines: list[int]
    """The number of blank lines before each row."""
    final_line_ending: bool
    byte_order_mark: bool

    def write(self) -> str:
        """Write the file to the current directory and return its name."""
        lines = [",".join('"' + name.replace('"', '""') + '"' for name in self.header)]
        rows = zip(self.blank_lines, self.labels, self.pixels, strict=True)
        for blank_lines, label, pixels in rows:
            lines += [""] * blank_lines + [",".join(map(str, [label, *pixels]))]
        text = self.line_ending.join(lines) + self.line_ending * self.final_line_ending
        content = ("\ufeff" * self.byte_order_mark + text).encode()
        Path(self.name).write_bytes(
            gzip.compress(content) if self.name.lower().endswith(".gz") else content
        )
        return self.name


def is_no_usual_name(name: str) -> bool:
    """Return whether a name tells nothing; true, false and no name at all are cells, too."""
    usual = is_label_name(name) or is_id_name(name) or is_number(name)
    return not usual or not name


@st.composite
def files(draw: st.DrawFn) -> WrittenFile:
    side = draw(st.integers(1, 6))
    values = draw(
        st.sets(st.integers(SMALLEST, LARGEST) | st.integers(-3, 12), min_size=2, max_size=9)
    )
    labels = sorted(values) + draw(st.lists(st.sampled_from(sorted(values)), max_size=5))
    pixels = st.lists(st.integers(0, 255), min_size=side * side, max_size=side * side)
    # Numbers in names would be an order of the pixels.
    letters = st.characters(exclude_categories=["Cs", "Nd"], exclude_characters="\r\n")
    names = st.text(letters, max_size=4).filter(is_no_usual_name)
    header = st.lists(names, min_size=side * side, max_size=side * side)
    return WrittenFile(
        name=draw(st.sampled_from(["table.csv", "table.csv.gz", "table.CSV.GZ", "table.txt"])),
        header=["label", *draw(header)],
        labels=draw(st.permutations(labels)),
        pixels=[draw(pixels) for _ in labels],
        line_ending=draw(st.sampled_from(["\n", "\r\n"])),
        blank_lines=[draw(st.sampled_from([0, 0, 0, 1, 2])) for _ in labels],
        final_line_ending=draw(st.booleans()),
        byte_order_mark=draw(st.booleans()),
    )


def write_rows(
    path: str, rows: Sequence[Sequence[object]], quoting: Literal[0, 1] = csv.QUOTE_MINIMAL
) -> str:
    with Path(path).open("w", newline="") as file:
        csv.writer(file, quoting=quoting).writerows(rows)
    return path


def error_of(path: str, options: ReadOptions | None = None, **keywords: Any) -> str:
    """Return the only error message for a file."""
    with pytest.raises(DataError) as caught:
        read_table(path, options or ReadOptions(), **keywords)
    (message,) = caught.value.messages
    return message


CATS_AND_DOGS = DataSpec((1, 2, 2), [3, 5], ["cat", "dog"])


def read_for_prediction(path: str) -> ImageTable:
    """Read a file as prediction does, for a run on 2x2 images of cats and dogs."""
    return read_table(path, ReadOptions(allow_missing_labels=True), reference=CATS_AND_DOGS)


@pytest.mark.slow
@given(written=files())
@settings(deadline=None, max_examples=200)
def test_table_contains_the_written_values(written: WrittenFile) -> None:
    side = int(len(written.pixels[0]) ** 0.5)
    shape = [1, 1, 1] if side == 1 else None
    table = read_table(written.write(), ReadOptions(image_shape=shape, pixel_range=255))
    assert table.images.dtype == np.uint8
    assert table.image_shape == (1, side, side)
    assert table.images.reshape(len(table.images), -1).tolist() == written.pixels
    assert table.labels is not None
    assert [table.label_values[index] for index in table.labels] == written.labels
    assert table.label_values == sorted(set(written.labels))
    assert table.classes == [str(value) for value in table.label_values]


@pytest.mark.slow
def test_bundled_file_has_6000_images_of_ten_classes() -> None:
    table = read_table("bundled", classes=FASHION_CLASSES)
    assert table.images.shape == (6000, 1, 28, 28)
    assert table.images.dtype == np.uint8
    assert table.classes == FASHION_CLASSES
    assert table.label_values == list(range(10))
    with gzip.open(resolve_path("bundled"), "rt") as file:
        cells = file.read().partition("\n")[2].replace("\n", ",")
    values = np.fromstring(cells, dtype=np.int64, sep=",").reshape(6000, 785)
    np.testing.assert_array_equal(table.labels, values[:, 0])
    np.testing.assert_array_equal(table.images.reshape(6000, 784), values[:, 1:])


def test_pixels_are_in_row_major_order() -> None:
    header = ["label", *"abcdefghi"]
    write_rows("nine.csv", [header, [0, *range(90, 99)], [1, *range(90, 99)]])
    table = read_table("nine.csv")
    assert table.images[0].tolist() == [[[90, 91, 92], [93, 94, 95], [96, 97, 98]]]


def test_image_shape_is_channels_height_width() -> None:
    header = ["label", *"abcdefghijkl"]
    write_rows("color.csv", [header, [0, *range(12)], [1, *range(12)]])
    table = read_table("color.csv", ReadOptions(image_shape=[3, 1, 4], pixel_range=255))
    assert table.image_shape == (3, 1, 4)
    assert table.images[1].tolist() == [[[0, 1, 2, 3]], [[4, 5, 6, 7]], [[8, 9, 10, 11]]]


def test_classes_are_in_ascending_order_of_their_labels() -> None:
    write_rows("order.csv", [["label", "pixel"], [10, 0], [-2, 1], [9, 2], [10, 3]])
    table = read_table("order.csv", ONE_PIXEL)
    assert table.label_values == [-2, 9, 10]
    assert table.classes == ["-2", "9", "10"]
    assert table.labels is not None
    assert table.labels.tolist() == [2, 0, 1, 2]
    named = read_table("order.csv", ONE_PIXEL, classes=["cat", "dog", "eel"])
    assert named.classes == ["cat", "dog", "eel"]


def test_number_of_class_names_must_match_the_labels() -> None:
    write_rows("pair.csv", [["label", "pixel"], [3, 0], [5, 1]])
    message = error_of("pair.csv", ONE_PIXEL, classes=["cat"])
    assert message.startswith("pair.csv: 2 labels (3, 5), but data.classes has 1 names; ")


def test_single_label_is_rejected() -> None:
    write_rows("one.csv", [["label", "pixel"], [3, 0], [3, 1]])
    message = error_of("one.csv", ONE_PIXEL)
    assert message.startswith("one.csv: the only label is 3")
    assert "data.label_column=" in message


ANIMALS = DataSpec((1, 1, 1), [3, 5, 9], ["cat", "dog", "eel"], (0.0, 255.0), "label", ["pixel"])


def test_labels_get_the_classes_of_the_reference() -> None:
    write_rows("test.csv", [["label", "pixel"], [9, 0], [9, 1], [3, 200]])
    table = read_table("test.csv", reference=ANIMALS)
    assert table.labels is not None
    assert table.labels.tolist() == [2, 2, 0]
    assert table.classes == ["cat", "dog", "eel"]
    assert table.label_values == [3, 5, 9]
    assert table.spec == ANIMALS


@pytest.mark.parametrize("unknown", [2, 4, 10])
def test_label_that_is_not_in_the_reference_is_rejected_by_row(unknown: int) -> None:
    write_rows("test.csv", [["label", "pixel"], [9, 0], [unknown, 1], [3, 2], [unknown, 200]])
    message = error_of("test.csv", reference=ANIMALS)
    assert message.startswith(f"test.csv, row 1: label {unknown} ")
    assert "3, 5, 9" in message
    assert "2 rows" in message


def test_image_shape_must_match_the_number_of_columns() -> None:
    write_rows("four.csv", [["label", *"abcd"], [0, 1, 2, 3, 4], [1, 1, 2, 3, 4]])
    message = error_of("four.csv", ReadOptions(image_shape=[1, 2, 3]))
    assert message.startswith("four.csv: 4 pixel columns, but image shape [1, 2, 3] needs 6")


def test_783_pixels_need_an_image_shape() -> None:
    names = [f"pixel{index}" for index in range(783)]
    write_rows("short.csv", [["label", *names], [0, *[70] * 783], [1, *[70] * 783]])
    message = error_of("short.csv")
    assert message.startswith("short.csv: 783 pixel columns ")
    assert "729 and 784" in message
    assert "[1,27,29] or [1,9,87] or [1,3,261]" in message
    table = read_table("short.csv", ReadOptions(image_shape=[1, 27, 29]))
    assert table.image_shape == (1, 27, 29)


def test_files_for_prediction_may_have_labels_or_not() -> None:
    write_rows("with.csv", [["label", *"abcd"], [5, 1, 2, 3, 4], [3, 5, 6, 7, 255]])
    write_rows("without.csv", [[*"abcd"], [1, 2, 3, 4], [5, 6, 7, 255]])
    labeled = read_for_prediction("with.csv")
    unlabeled = read_for_prediction("without.csv")
    assert unlabeled.images.tolist() == [[[[1, 2], [3, 4]]], [[[5, 6], [7, 255]]]]
    assert labeled.images.tolist() == unlabeled.images.tolist()
    assert labeled.labels is not None
    assert labeled.labels.tolist() == [1, 0]
    assert unlabeled.labels is None
    assert labeled.label_values == unlabeled.label_values == [3, 5]
    assert labeled.classes == unlabeled.classes == ["cat", "dog"]


def test_first_column_of_a_file_without_labels_is_checked_as_a_pixel() -> None:
    write_rows("without.csv", [[*"abcd"], [1, 2, 3, 4], [-5, 6, 7, 80]])
    options = ReadOptions(allow_missing_labels=True)
    message = error_of("without.csv", options, reference=CATS_AND_DOGS)
    assert message == "without.csv, line 3, column a: '-5' is outside 0..255"


def test_images_of_another_size_than_the_reference_are_rejected() -> None:
    write_rows("three.csv", [[*"abc"], [1, 2, 3]])
    options = ReadOptions(allow_missing_labels=True)
    message = error_of("three.csv", options, reference=CATS_AND_DOGS)
    assert message.startswith("three.csv: 3 columns, but images of 4 pixels need 4 pixel ")


@pytest.mark.slow
@pytest.mark.parametrize(
    "cell",
    [
        "5",
        "+5",
        "005",
        " 5",
        "5 ",
        "\t5",
        '"5"',
        '" 5"',
        '"5\n"',
        "0" * 5000 + "5",
        "+" + "0" * 5000 + "5",
    ],
)
def test_sign_zeros_spaces_and_quotes_do_not_change_a_number(cell: str) -> None:
    Path("numbers.csv").write_text(f"label,a,b,c,d\n{cell},1,2,{cell},40\n-0,1,2,-0,40\n")
    table = read_table("numbers.csv")
    # A label with leading zeros, such as 007, is text.
    written = cell.strip('" \t\n')
    texts = ["-0", written] if written > "-0" else [written, "-0"]
    assert table.label_values == (texts if written.lstrip("+").startswith("0") else [0, 5])
    assert table.images.tolist() == [[[[1, 2], [5, 40]]], [[[1, 2], [0, 40]]]]


@pytest.mark.parametrize("quote", ["", '"'])
def test_labels_may_use_all_64_bits(quote: str) -> None:
    lines = [f"{quote}{label}{quote},0" for label in (LARGEST, 0, SMALLEST)]
    Path("large.csv").write_text("\n".join(["label,pixel", *lines]))
    assert read_table("large.csv", ONE_PIXEL).label_values == [SMALLEST, 0, LARGEST]


@pytest.mark.parametrize("blank", ["", "   ", "\t", '""'])
def test_blank_lines_are_ignored(blank: str) -> None:
    Path("blank.csv").write_text(f"label,pixel\n{blank}\n5,1\n{blank}\n3,2\n{blank}\n")
    assert read_table("blank.csv", ONE_PIXEL).images.flatten().tolist() == [1, 2]


@pytest.mark.parametrize("quoting", [csv.QUOTE_MINIMAL, csv.QUOTE_ALL])
def test_images_can_be_shared_with_torch(quoting: Literal[0, 1]) -> None:
    rows = [["label", *"abcd"], [0, 1, 2, 3, 40], [1, 1, 2, 3, 40]]
    images = read_table(write_rows("any.csv", rows, quoting)).images
    # torch.from_numpy warns if an array is not writable.
    assert images.flags.writeable
    assert images.flags.c_contiguous


@pytest.fixture
def short_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Read chunks of some hundred bytes instead of some million."""
    monkeypatch.setattr("csvision.data.source.CHUNK_BYTES", 256)


@pytest.mark.usefixtures("short_chunks")
@pytest.mark.parametrize("rows", [39, 40, 41, 400])
def test_file_of_several_chunks_is_read_completely_and_in_order(rows: int) -> None:
    cells = [[index % 3, index % 256] for index in range(rows)]
    table = read_table(write_rows("long.csv", [["label", "pixel"], *cells]), ONE_PIXEL)
    assert table.labels is not None
    assert np.stack([table.labels, table.images.flatten()], axis=1).tolist() == cells


@pytest.mark.usefixtures("short_chunks")
@pytest.mark.parametrize("row", [0, 39, 40, 41, 42, 43, 199])
def test_row_with_too_many_cells_is_reported_in_any_chunk(row: int) -> None:
    cells = [[index % 3, index % 256] for index in range(200)]
    cells[row].append(7)
    write_rows("long.csv", [["label", "pixel"], *cells])
    assert error_of("long.csv", ONE_PIXEL).startswith(
        f"long.csv, line {row + 2}: 3 cells, but the header has 2"
    )

"""Tables of images: what is in the file is what is read, whichever way the file is written."""

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

from csvision.data.source import source_path
from csvision.data.table import ImageTable, read_table
from csvision.errors import DataError

FASHION = [
    *("T-shirt/top", "Trouser", "Pullover", "Dress", "Coat"),
    *("Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"),
]
SMALLEST, LARGEST = -(2**63), 2**63 - 1


@dataclass(frozen=True)
class Written:
    """A file of square images and how it is spelt."""

    name: str
    header: list[str]
    labels: list[int]
    pixels: list[list[int]]
    line_end: str
    blank_lines: list[int]
    """How many blank lines stand before each row."""
    final_line_end: bool
    byte_order_mark: bool

    def write(self) -> str:
        """Write the file into the current folder; its name."""
        lines = [",".join('"' + name.replace('"', '""') + '"' for name in self.header)]
        rows = zip(self.blank_lines, self.labels, self.pixels, strict=True)
        for blank_lines, label, pixels in rows:
            lines += [""] * blank_lines + [",".join(map(str, [label, *pixels]))]
        text = self.line_end.join(lines) + self.line_end * self.final_line_end
        content = ("\ufeff" * self.byte_order_mark + text).encode()
        Path(self.name).write_bytes(
            gzip.compress(content) if self.name.lower().endswith(".gz") else content
        )
        return self.name


def is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


@st.composite
def files(draw: st.DrawFn) -> Written:
    side = draw(st.integers(1, 6))
    values = draw(st.sets(st.integers(SMALLEST, LARGEST) | st.integers(-3, 12), min_size=2))
    labels = sorted(values) + draw(st.lists(st.sampled_from(sorted(values)), max_size=5))
    pixels = st.lists(st.integers(0, 255), min_size=side * side, max_size=side * side)
    names = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r\n"), max_size=4)
    header = st.lists(names, min_size=side * side + 1, max_size=side * side + 1)
    return Written(
        name=draw(st.sampled_from(["table.csv", "table.csv.gz", "table.CSV.GZ", "table.txt"])),
        header=draw(header.filter(lambda cells: not all(map(is_number, cells)))),
        labels=draw(st.permutations(labels)),
        pixels=[draw(pixels) for _ in labels],
        line_end=draw(st.sampled_from(["\n", "\r\n"])),
        blank_lines=[draw(st.sampled_from([0, 0, 0, 1, 2])) for _ in labels],
        final_line_end=draw(st.booleans()),
        byte_order_mark=draw(st.booleans()),
    )


def write_rows(
    path: str, rows: Sequence[Sequence[object]], quoting: Literal[0, 1] = csv.QUOTE_MINIMAL
) -> str:
    with Path(path).open("w", newline="") as file:
        csv.writer(file, quoting=quoting).writerows(rows)
    return path


def refusal(path: str, **options: Any) -> str:
    """The one line with which a table is refused."""
    with pytest.raises(DataError) as refused:
        read_table(path, **options)
    (fault,) = refused.value.faults
    return fault


def read_images(path: str) -> ImageTable:
    """Read as prediction does, for a run on 1x2x2 images of cats and dogs."""
    return read_table(
        path, image_shape=[1, 2, 2], label_values=[3, 5], classes=["cat", "dog"], unlabelled=True
    )


@given(written=files())
@settings(deadline=None, max_examples=200)
def test_what_is_written_is_read(written: Written) -> None:
    table = read_table(written.write())
    side = int(len(written.pixels[0]) ** 0.5)
    assert table.images.dtype == np.uint8
    assert table.image_shape == (1, side, side)
    assert table.images.reshape(len(table.images), -1).tolist() == written.pixels
    assert table.labels is not None
    assert [table.label_values[index] for index in table.labels] == written.labels
    assert table.label_values == sorted(set(written.labels))
    assert table.classes == [str(value) for value in table.label_values]


def test_the_embedded_file_holds_6000_images_of_ten_classes() -> None:
    table = read_table("embedded", classes=FASHION)
    assert table.images.shape == (6000, 1, 28, 28)
    assert table.images.dtype == np.uint8
    assert table.classes == FASHION
    assert table.label_values == list(range(10))
    with gzip.open(source_path("embedded"), "rt") as file:
        cells = file.read().partition("\n")[2].replace("\n", ",")
    values = np.fromstring(cells, dtype=np.int64, sep=",").reshape(6000, 785)
    np.testing.assert_array_equal(table.labels, values[:, 0])
    np.testing.assert_array_equal(table.images.reshape(6000, 784), values[:, 1:])


def test_pixels_fill_rows_from_left_to_right_and_from_top_to_bottom() -> None:
    header = ["label", *"abcdefghi"]
    write_rows("nine.csv", [header, [0, *range(9)], [1, *range(9)]])
    table = read_table("nine.csv")
    assert table.images[0].tolist() == [[[0, 1, 2], [3, 4, 5], [6, 7, 8]]]


def test_an_image_shape_makes_channels_first_then_rows_then_columns() -> None:
    header = ["label", *"abcdefghijkl"]
    write_rows("colour.csv", [header, [0, *range(12)], [1, *range(12)]])
    table = read_table("colour.csv", image_shape=[3, 1, 4])
    assert table.image_shape == (3, 1, 4)
    assert table.images[1].tolist() == [[[0, 1, 2, 3]], [[4, 5, 6, 7]], [[8, 9, 10, 11]]]


def test_classes_stand_in_ascending_order_of_their_labels() -> None:
    write_rows("order.csv", [["label", "pixel"], [10, 0], [-2, 1], [9, 2], [10, 3]])
    table = read_table("order.csv")
    assert table.label_values == [-2, 9, 10]
    assert table.classes == ["-2", "9", "10"]
    assert table.labels is not None
    assert table.labels.tolist() == [2, 0, 1, 2]
    assert read_table("order.csv", classes=["cat", "dog", "eel"]).classes == ["cat", "dog", "eel"]


def test_names_must_be_as_many_as_the_labels() -> None:
    write_rows("pair.csv", [["label", "pixel"], [3, 0], [5, 1]])
    assert refusal("pair.csv", classes=["cat"]) == "pair.csv has 2 labels (3, 5) but data.classes 1"


def test_one_label_is_none_to_learn() -> None:
    write_rows("one.csv", [["label", "pixel"], [3, 0], [3, 1]])
    assert refusal("one.csv").startswith(
        "one.csv has one label only (3); two or more are needed; if another column"
    )


def test_another_files_labels_keep_their_classes() -> None:
    write_rows("test.csv", [["label", "pixel"], [9, 0], [9, 1], [3, 2]])
    table = read_table("test.csv", label_values=[3, 5, 9], classes=["cat", "dog", "eel"])
    assert table.labels is not None
    assert table.labels.tolist() == [2, 2, 0]
    assert table.classes == ["cat", "dog", "eel"]
    assert table.label_values == [3, 5, 9]


@pytest.mark.parametrize("unknown", [2, 4, 10])
def test_an_unknown_label_is_refused_by_row(unknown: int) -> None:
    write_rows("test.csv", [["label", "pixel"], [9, 0], [unknown, 1], [3, 2], [unknown, 3]])
    assert refusal("test.csv", label_values=[3, 5, 9]) == (
        f"test.csv, row 1: label {unknown} is none of the known ones (3, 5, 9); "
        "2 rows have such labels"
    )


def test_an_image_shape_must_have_as_many_pixels_as_the_file() -> None:
    write_rows("four.csv", [["label", *"abcd"], [0, 1, 2, 3, 4], [1, 1, 2, 3, 4]])
    assert refusal("four.csv", image_shape=[1, 2, 3]) == (
        "four.csv has 5 columns where image_shape=[1, 2, 3] needs 6 pixels and a label"
    )


def test_783_pixels_are_no_square() -> None:
    names = [f"pixel{index}" for index in range(783)]
    write_rows("short.csv", [["label", *names], [0, *[7] * 783], [1, *[7] * 783]])
    assert refusal("short.csv") == (
        "short.csv has 783 pixel columns, which is no square (the nearest are 729 and 784); "
        "give data.image_shape, such as [1,27,29] or [1,9,87] or [1,3,261]"
    )
    assert read_table("short.csv", image_shape=[1, 27, 29]).image_shape == (1, 27, 29)


def test_images_are_read_with_and_without_a_label_column() -> None:
    write_rows("with.csv", [["label", *"abcd"], [5, 1, 2, 3, 4], [3, 5, 6, 7, 255]])
    write_rows("without.csv", [[*"abcd"], [1, 2, 3, 4], [5, 6, 7, 255]])
    labelled = read_images("with.csv")
    bare = read_images("without.csv")
    assert bare.images.tolist() == [[[[1, 2], [3, 4]]], [[[5, 6], [7, 255]]]]
    assert labelled.images.tolist() == bare.images.tolist()
    assert labelled.labels is not None
    assert labelled.labels.tolist() == [1, 0]
    assert bare.labels is None
    assert labelled.label_values == bare.label_values == [3, 5]
    assert labelled.classes == bare.classes == ["cat", "dog"]


def test_images_without_labels_are_checked_as_pixels_from_the_first_column_on() -> None:
    write_rows("without.csv", [[*"abcd"], [1, 2, 3, 4], [-5, 6, 7, 8]])
    with pytest.raises(DataError) as refused:
        read_images("without.csv")
    assert refused.value.faults == ["without.csv, line 3, column a: '-5' is outside 0 to 255"]


def test_images_of_another_size_than_the_runs_are_refused() -> None:
    write_rows("three.csv", [[*"abc"], [1, 2, 3]])
    with pytest.raises(DataError) as refused:
        read_images("three.csv")
    assert refused.value.faults == [
        "three.csv has 3 columns where image_shape=[1, 2, 2] needs 4 pixels and a label"
    ]


@pytest.mark.parametrize(
    "spelling",
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
def test_signs_zeros_spaces_and_quotes_change_no_number(spelling: str) -> None:
    Path("spelt.csv").write_text(f"label,a,b,c,d\n{spelling},1,2,{spelling},4\n-0,1,2,-0,4\n")
    table = read_table("spelt.csv")
    assert table.label_values == [0, 5]
    assert table.images.tolist() == [[[[1, 2], [5, 4]]], [[[1, 2], [0, 4]]]]


@pytest.mark.parametrize("quote", ["", '"'])
def test_labels_reach_as_far_as_64_bits(quote: str) -> None:
    lines = [f"{quote}{label}{quote},0" for label in (LARGEST, 0, SMALLEST)]
    Path("far.csv").write_text("\n".join(["label,pixel", *lines]))
    assert read_table("far.csv").label_values == [SMALLEST, 0, LARGEST]


@pytest.mark.parametrize("blank", ["", "   ", "\t", '""'])
def test_lines_of_nothing_but_space_are_no_rows(blank: str) -> None:
    Path("gaps.csv").write_text(f"label,pixel\n{blank}\n5,1\n{blank}\n3,2\n{blank}\n")
    assert read_table("gaps.csv").images.flatten().tolist() == [1, 2]


@pytest.mark.parametrize("quoting", [csv.QUOTE_MINIMAL, csv.QUOTE_ALL])
def test_images_can_be_handed_to_torch_without_a_copy(quoting: Literal[0, 1]) -> None:
    rows = [["label", *"abcd"], [0, 1, 2, 3, 4], [1, 1, 2, 3, 4]]
    images = read_table(write_rows("any.csv", rows, quoting)).images
    # torch.from_numpy warns of an array that cannot be written to.
    assert images.flags.writeable
    assert images.flags.c_contiguous


@pytest.fixture
def short_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    """Read some hundred bytes at once instead of some million."""
    monkeypatch.setattr("csvision.data.source.PIECE_BYTES", 256)


@pytest.mark.usefixtures("short_pieces")
@pytest.mark.parametrize("rows", [39, 40, 41, 400])
def test_a_file_longer_than_one_reading_is_read_whole_and_in_order(rows: int) -> None:
    cells = [[index % 3, index % 256] for index in range(rows)]
    table = read_table(write_rows("long.csv", [["label", "pixel"], *cells]))
    assert table.labels is not None
    assert np.stack([table.labels, table.images.flatten()], axis=1).tolist() == cells


@pytest.mark.usefixtures("short_pieces")
@pytest.mark.parametrize("row", [0, 39, 40, 41, 42, 43, 199])
def test_a_row_too_long_is_found_wherever_it_stands(row: int) -> None:
    cells = [[index % 3, index % 256] for index in range(200)]
    cells[row].append(7)
    write_rows("long.csv", [["label", "pixel"], *cells])
    assert refusal("long.csv") == f"long.csv, line {row + 2}: 3 cells where the header has 2"

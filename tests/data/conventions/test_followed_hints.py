"""The hint of each error message is followed: the file is then read exactly as it was meant."""

import gzip
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from csvision.config import schema
from csvision.config.compose import load_config
from csvision.data.class_names import ClassNames
from csvision.data.read_options import ReadOptions
from csvision.data.splits import load_splits
from csvision.data.table import read_table
from csvision.errors import DataError
from tests.data.conventions.images import Content, gray
from tests.data.conventions.write import column, pixel_names, rows_of, to_text, write_csv

CONTENT = gray()
HEADER = ["label", *pixel_names(25)]
AUTO = ReadOptions(cache="none")
EVEN = range(100, 220, 2)


@dataclass(frozen=True)
class Followed:
    """A file that is refused, what the message must offer, and what is set when following it."""

    write: Callable[[], Any]
    offered: tuple[str, ...]
    follow: dict[str, Any]
    content: Content = CONTENT
    classes: ClassNames | None = None


def changed(change: Callable[[list[Any]], Sequence[Any]]) -> str:
    """Write the rows, each changed."""
    return write_csv([change(row) for row in rows_of(CONTENT)], HEADER)


def dark(highest: int, white: int) -> Content:
    """Return images with values up to a highest value, whose white is another value."""
    values = CONTENT.images.astype(int) % (highest + 1)
    return Content(np.rint(values * (255 / white)).astype(np.uint8), CONTENT.labels)


def write_dark() -> str:
    return changed(lambda row: [row[0], *(value % 10 for value in row[1:])])


def write_unlabeled() -> None:
    write_csv(rows_of(CONTENT, None), HEADER[1:])
    Path("labels.csv").write_text("\n".join(map(str, CONTENT.labels)), encoding="utf-8")


def write_numeric_names() -> str:
    names = ["label", *map(str, range(7, 82, 3))]
    return write_csv(rows_of(CONTENT), names)


def write_bomb() -> None:
    text = to_text(rows_of(CONTENT), HEADER) + "\n" * (2 << 20)
    Path("images.csv").write_bytes(gzip.compress(text.encode()))


def other_class(position: int) -> Content:
    """Return the content with the label replaced by that of one of two label columns."""
    return CONTENT if position else Content(CONTENT.images, ["ab"[row % 2] for row in range(60)])


TWO_LABELS = column(CONTENT, "ab" * 30, rows_of(CONTENT))
MINUS = [[row[0], *(value / 127.5 - 1 for value in row[1:])] for row in rows_of(CONTENT)]
EXTRA = [[*row, 7] for row in rows_of(CONTENT)]
LETTERS = [f"x{'y' * index}" for index in range(26)]

FOLLOWED: dict[str, Followed] = {
    "the first of two label columns": Followed(
        lambda: write_csv(TWO_LABELS, ["class", *HEADER]),
        ("data.label_column=class", "data.ignore=[label]"),
        {"label_column": "class", "ignore": ["label"]},
        other_class(0),
    ),
    "the second of two label columns": Followed(
        lambda: write_csv(TWO_LABELS, ["class", *HEADER]),
        ("the other way round",),
        {"label_column": "label", "ignore": ["class"]},
    ),
    "the label column of a file without header": Followed(
        lambda: write_csv([[*row, row[0]] for row in rows_of(CONTENT)]),
        ("data.label_column=NAME",),
        {"label_column": "0", "ignore": ["26"]},
    ),
    "an unknown column": Followed(
        lambda: write_csv(column(CONTENT, EVEN, rows_of(CONTENT)), ["writer", *HEADER]),
        ("data.ignore=[writer]",),
        {"ignore": ["writer"]},
    ),
    "a column too many": Followed(
        lambda: write_csv(EXTRA, ["label", *LETTERS]),
        ("data.ignore=[NAME]", LETTERS[-1]),
        {"ignore": [LETTERS[-1]]},
    ),
    "a text column": Followed(
        lambda: write_csv([[*row, "x"] for row in rows_of(CONTENT)], ["label", *LETTERS]),
        (f"data.ignore=[{LETTERS[-1]}]",),
        {"ignore": [LETTERS[-1]]},
    ),
    "dark images of few values": Followed(
        write_dark, ("data.pixel_range=9",), {"pixel_range": 9}, dark(9, 9)
    ),
    "dark images of bytes": Followed(
        write_dark, ("data.pixel_range=255",), {"pixel_range": 255}, dark(9, 255)
    ),
    "pixels from -1 to 1": Followed(
        lambda: write_csv(MINUS, HEADER), ("[-1,1]",), {"pixel_range": [-1, 1]}
    ),
    "names that are numbers": Followed(
        write_numeric_names, ("data.header=true",), {"header": True}
    ),
    "a file of labels": Followed(
        write_unlabeled, ("data.labels_csv=FILE",), {"labels_csv": "labels.csv"}
    ),
    "a large file": Followed(
        write_bomb, ("data.max_decompressed_gib",), {"max_decompressed_gib": 1.0}
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", FOLLOWED)
def test_hint_leads_to_the_exact_table(name: str) -> None:
    case = FOLLOWED[name]
    case.write()
    options = replace(AUTO, max_decompressed_gib=0.001) if name == "a large file" else AUTO
    with pytest.raises(DataError) as caught:
        read_table("images.csv", options)
    for part in case.offered:
        assert part in str(caught.value)
    table = read_table("images.csv", replace(AUTO, **case.follow))
    np.testing.assert_array_equal(table.images, case.content.images)
    assert table.labels is not None
    assert [table.label_values[index] for index in table.labels] == case.content.labels


def test_names_that_are_read_as_pixels_by_header_false_are_refused_or_visible() -> None:
    write_numeric_names()
    with pytest.raises(DataError, match=r"line 1, column 0: 'label' is not an integer label"):
        read_table("images.csv", replace(AUTO, header=False, label_column="0"))


def test_mapping_of_classes_leads_to_the_right_names() -> None:
    named = [[["circle", "cross", "square"][row[0] % 3], *row[1:]] for row in rows_of(CONTENT)]
    path = write_csv(named, HEADER)
    with pytest.raises(DataError, match=r"data\.classes=\{LABEL: NAME, \.\.\.\}"):
        read_table(path, AUTO, classes=["square", "circle", "cross"])
    table = read_table(path, AUTO, classes={"circle": "Kreis"})
    assert table.label_values == ["circle", "cross", "square"]
    assert table.classes == ["Kreis", "cross", "square"]


@pytest.mark.parametrize("num_pixels", [20, 24, 30])
def test_every_suggested_shape_keeps_the_label_and_the_pixels(num_pixels: int) -> None:
    rows = [row[: num_pixels + 1] for row in rows_of(gray(height=5, width=6))]
    path = write_csv(rows, ["label", *pixel_names(num_pixels)])
    with pytest.raises(DataError) as caught:
        read_table(path, AUTO)
    shapes = re.findall(r"\[(\d+,\d+,\d+)\]", str(caught.value))
    assert shapes
    for shape in shapes:
        options = replace(AUTO, image_shape=[int(side) for side in shape.split(",")])
        table = read_table(path, options)
        assert table.images.reshape(len(rows), -1).tolist() == [row[1:] for row in rows]
        assert table.label_column == "label"


def data_config(*overrides: str) -> schema.DataConfig:
    config: schema.TrainConfig = load_config("train", ["data=csv", *overrides])
    return config.data


def test_labels_with_single_rows_are_not_advised_to_be_trained_on() -> None:
    rows = [[row if row < 12 else 90, *[row * 4] * 25] for row in range(60)]
    path = write_csv(rows, HEADER)
    with pytest.raises(DataError) as caught:
        load_splits(data_config(f"data.csv={path}", "data.cache=none"))
    assert "data.val_size=0" not in str(caught.value)
    assert "data.label_column=NAME" in str(caught.value)


def test_one_rare_label_is_trained_without_validation_rows() -> None:
    rows = [[row % 2 if row else 7, *[row * 4] * 25] for row in range(60)]
    data = (f"data.csv={write_csv(rows, HEADER)}", "data.cache=none", "data.split_seed=1")
    with pytest.raises(DataError, match=r"label 7 has only one training row.*data\.val_size=0"):
        load_splits(data_config(*data))
    splits = load_splits(data_config(*data, "data.val_size=0"))
    assert splits.train.table.label_values == [0, 1, 7]

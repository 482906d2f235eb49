"""Which column is the label, and how the other columns form an image."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from csvision.data.columns import Columns, infer_columns, suggest_shapes
from csvision.data.read_options import ReadOptions
from csvision.data.table import read_table
from csvision.errors import DataError

PATH = Path("images.csv")


def names(num_pixels: int, label: str = "label") -> list[str]:
    return [label, *(f"pixel{index}" for index in range(num_pixels))]


def columns_of(
    header: Sequence[str],
    label_column: str | None = None,
    image_shape: Sequence[int] | None = None,
    allow_missing_labels: bool = False,
) -> Columns:
    options = ReadOptions(label_column, image_shape, allow_missing_labels=allow_missing_labels)
    return infer_columns(PATH, header, options)


def error_of(
    header: Sequence[str],
    label_column: str | None = None,
    image_shape: Sequence[int] | None = None,
) -> str:
    """Return the only message of the error raised for these columns."""
    with pytest.raises(DataError) as error:
        columns_of(header, label_column, image_shape)
    (message,) = error.value.messages
    return message


@pytest.mark.parametrize(
    ("header", "label_column", "index"),
    [
        (["label", "a", "b", "c", "d"], None, 0),
        (["a", "b", "c", "d", "digit"], "digit", 4),
        (["a", "b", "digit", "c", "d"], "digit", 2),
        (["digit", "a", "a", "a", "a"], "digit", 0),
    ],
)
def test_label_is_the_first_or_the_named_column(
    header: list[str], label_column: str | None, index: int
) -> None:
    columns = columns_of(header, label_column)
    assert columns.label_index == index
    assert columns.num_pixels == 4
    assert columns.image_shape == (1, 2, 2)


def test_position_of_the_label_column_does_not_change_the_table() -> None:
    pixels = {name: [index, 100 + index, 200] for index, name in enumerate("abcd")}
    labels = {"digit": [5, 3, 5]}
    pd.DataFrame(labels | pixels).to_csv("first.csv", index=False)
    pd.DataFrame(pixels | labels).to_csv("last.csv", index=False)
    first = read_table("first.csv", ReadOptions(cache="none"))
    last = read_table("last.csv", ReadOptions(label_column="digit", cache="none"))
    np.testing.assert_array_equal(last.images, first.images)
    np.testing.assert_array_equal(last.labels, first.labels)
    assert last.label_values == first.label_values == [3, 5]


def test_missing_or_ambiguous_label_column_is_rejected() -> None:
    message = error_of(["label", "a", "b"], "digit")
    assert message.startswith("images.csv, line 1: no column is named 'digit'")
    assert "data.label_column" in message
    assert "label, a, b" in message
    assert "more than one column is named 'digit'" in error_of(["digit", "a", "digit"], "digit")


@pytest.mark.parametrize(
    ("num_pixels", "image_shape", "expected"),
    [
        (1, None, (1, 1, 1)),
        (784, None, (1, 28, 28)),
        (12, [3, 2, 2], (3, 2, 2)),
        (12, [1, 3, 4], (1, 3, 4)),
        (16, [1, 2, 8], (1, 2, 8)),
    ],
)
def test_image_shape_is_a_grayscale_square_by_default(
    num_pixels: int, image_shape: list[int] | None, expected: tuple[int, ...]
) -> None:
    assert columns_of(names(num_pixels), image_shape=image_shape).image_shape == expected


def test_pixels_that_form_no_square_are_rejected_with_shapes_that_fit() -> None:
    message = error_of(names(12))
    assert message.startswith("images.csv: 12 pixel columns")
    assert "9 and 16" in message
    assert message.endswith("set data.image_shape, for example [3,2,2] or [1,3,4] or [1,2,6]")


def test_image_shape_that_does_not_fit_is_rejected() -> None:
    message = error_of(names(12), image_shape=[1, 4, 4])
    assert message.startswith("images.csv: 13 columns, but image shape [1, 4, 4] needs 16 pixel")
    assert "check the image shape" in message


@pytest.mark.parametrize("num_pixels", [2, 3, 7, 12, 30, 768, 785, 3072, 49152])
def test_every_suggested_shape_fits(num_pixels: int) -> None:
    shapes = [shape.strip("[]").split(",") for shape in suggest_shapes(num_pixels).split(" or ")]
    assert shapes
    for shape in shapes:
        columns = columns_of(names(num_pixels), image_shape=list(map(int, shape)))
        assert columns.num_pixels == num_pixels


def test_header_with_only_a_label_is_rejected() -> None:
    message = error_of(["label"])
    assert message.startswith("images.csv, line 1: there are no pixel columns")


def test_number_of_columns_shows_that_a_file_has_no_labels() -> None:
    header = names(4)[1:]
    assert columns_of(header, None, [1, 2, 2], allow_missing_labels=True).label_index is None
    assert columns_of(names(4), None, [1, 2, 2], allow_missing_labels=True).label_index == 0
    assert "needs 4" in error_of(header, image_shape=[1, 2, 2])


def test_missing_label_column_is_rejected_by_name() -> None:
    message = error_of(["a", "b"], image_shape=[1, 1, 2])
    assert message.startswith("images.csv: 2 columns, but image shape [1, 1, 2] needs 2 pixel")
    assert message.endswith("add the label column")


@pytest.mark.parametrize("shape", [(3, 2, 2), (3, 2, 5), (1, 4, 3), (4, 1, 2)])
def test_both_layouts_give_the_same_images(shape: tuple[int, int, int]) -> None:
    images = np.random.default_rng(0).integers(0, 256, (6, *shape), dtype=np.uint8)
    orders = {"channels_first": images, "channels_last": images.transpose(0, 2, 3, 1)}
    for layout, pixels in orders.items():
        frame = pd.DataFrame(pixels.reshape(6, -1))
        frame.insert(0, "label", [0, 1] * 3)
        frame.to_csv(f"{layout}.csv", index=False)
        options = ReadOptions(image_shape=shape, layout=layout, cache="none")
        table = read_table(f"{layout}.csv", options)
        np.testing.assert_array_equal(table.images, images)
        assert table.images.flags.c_contiguous


def test_unknown_layout_is_rejected() -> None:
    with pytest.raises(ValueError, match="diagonal"):
        infer_columns(PATH, names(4), ReadOptions(layout="diagonal"))

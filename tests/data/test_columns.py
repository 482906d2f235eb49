"""Which column is the label, and how the others form an image."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from csvision.data.columns import Columns, choose_columns, fitting_shapes
from csvision.data.table import read_table
from csvision.errors import DataError
from csvision.schema import Layout

PATH = Path("images.csv")


def names(pixels: int, label: str = "label") -> list[str]:
    return [label, *(f"pixel{index}" for index in range(pixels))]


def choose(
    header: Sequence[str],
    label: str | None = None,
    image_shape: Sequence[int] | None = None,
    unlabelled: bool = False,
) -> Columns:
    return choose_columns(PATH, header, label, image_shape, Layout.channels_first, unlabelled)


def refusal(
    header: Sequence[str], label: str | None = None, image_shape: Sequence[int] | None = None
) -> str:
    """The one line with which columns are refused."""
    with pytest.raises(DataError) as refused:
        choose(header, label, image_shape)
    (fault,) = refused.value.faults
    return fault


@pytest.mark.parametrize(
    ("header", "label", "index"),
    [
        (["label", "a", "b", "c", "d"], None, 0),
        (["a", "b", "c", "d", "digit"], "digit", 4),
        (["a", "b", "digit", "c", "d"], "digit", 2),
        (["digit", "a", "a", "a", "a"], "digit", 0),
    ],
)
def test_the_label_is_the_first_column_or_the_named_one(
    header: list[str], label: str | None, index: int
) -> None:
    columns = choose(header, label)
    assert columns.label == index
    assert columns.pixels == 4
    assert columns.image_shape == (1, 2, 2)


def test_a_label_in_any_column_gives_the_same_table() -> None:
    pixels = {name: [index, 100 + index, 200] for index, name in enumerate("abcd")}
    labels = {"digit": [5, 3, 5]}
    pd.DataFrame(labels | pixels).to_csv("first.csv", index=False)
    pd.DataFrame(pixels | labels).to_csv("last.csv", index=False)
    first = read_table("first.csv", cache="none")
    last = read_table("last.csv", label="digit", cache="none")
    np.testing.assert_array_equal(last.images, first.images)
    np.testing.assert_array_equal(last.labels, first.labels)
    assert last.label_values == first.label_values == [3, 5]


def test_a_label_that_no_column_or_more_than_one_is_named_is_refused() -> None:
    assert refusal(["label", "a", "b"], "digit") == (
        "images.csv, line 1: no column is named 'digit' (data.label); label, a, b, ..."
    )
    assert "more than one column is named 'digit'" in refusal(["digit", "a", "digit"], "digit")


@pytest.mark.parametrize(
    ("pixels", "image_shape", "expected"),
    [
        (1, None, (1, 1, 1)),
        (784, None, (1, 28, 28)),
        (12, [3, 2, 2], (3, 2, 2)),
        (12, [1, 3, 4], (1, 3, 4)),
        (16, [1, 2, 8], (1, 2, 8)),
    ],
)
def test_the_shape_is_a_grey_square_or_the_given_one(
    pixels: int, image_shape: list[int] | None, expected: tuple[int, ...]
) -> None:
    assert choose(names(pixels), image_shape=image_shape).image_shape == expected


def test_pixels_that_form_no_square_are_refused_with_shapes_that_would_fit() -> None:
    assert refusal(names(12)) == (
        "images.csv has 12 pixel columns, which is no square (the nearest are 9 and 16); "
        "give data.image_shape, such as [3,2,2] or [1,3,4] or [1,2,6]"
    )
    assert refusal(names(12), image_shape=[1, 4, 4]) == (
        "images.csv has 13 columns where image_shape=[1, 4, 4] needs 16 pixels and a label"
    )


@pytest.mark.parametrize("pixels", [2, 3, 7, 12, 30, 768, 785, 3072, 49152])
def test_every_suggested_shape_fits(pixels: int) -> None:
    suggestion = fitting_shapes(pixels).removeprefix("such as ")
    shapes = [shape.strip("[]").split(",") for shape in suggestion.split(" or ")]
    assert shapes
    for shape in shapes:
        assert choose(names(pixels), image_shape=list(map(int, shape))).pixels == pixels


def test_a_header_of_a_label_alone_is_refused() -> None:
    assert "no pixel columns" in refusal(["label"])


def test_a_file_of_pixels_alone_is_told_by_their_number() -> None:
    header = names(4)[1:]
    assert choose(header, image_shape=[1, 2, 2], unlabelled=True).label is None
    assert choose(names(4), image_shape=[1, 2, 2], unlabelled=True).label == 0
    assert "needs 4" in refusal(header, image_shape=[1, 2, 2])


@pytest.mark.parametrize("shape", [(3, 2, 2), (3, 2, 5), (1, 4, 3), (4, 1, 2)])
def test_channels_last_is_channels_first_with_the_axes_moved(shape: tuple[int, int, int]) -> None:
    images = np.random.default_rng(0).integers(0, 256, (6, *shape), dtype=np.uint8)
    orders = {"channels_first": images, "channels_last": images.transpose(0, 2, 3, 1)}
    for layout, pixels in orders.items():
        table = pd.DataFrame(pixels.reshape(6, -1))
        table.insert(0, "label", [0, 1] * 3)
        table.to_csv(f"{layout}.csv", index=False)
        read = read_table(f"{layout}.csv", image_shape=shape, layout=layout, cache="none")
        np.testing.assert_array_equal(read.images, images)
        assert read.images.flags.c_contiguous


def test_a_file_of_pixels_alone_is_told_that_its_labels_are_missing() -> None:
    with pytest.raises(DataError) as refused:
        choose_columns(Path("images.csv"), ["a", "b"], None, [1, 1, 2], Layout.channels_first)
    assert refused.value.faults == [
        "images.csv has 2 columns and image_shape=[1, 1, 2] needs 2 pixels: the label is missing"
    ]

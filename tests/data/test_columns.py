"""Which column is the label, and how the other columns form an image."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from csvision.data.columns import Columns, suggest_shapes
from csvision.data.open_source import open_source
from csvision.data.read_options import ReadOptions
from csvision.data.sample import Sample
from csvision.data.sniff import infer_columns
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
    options = ReadOptions(
        label_column, image_shape=image_shape, allow_missing_labels=allow_missing_labels
    )
    rows = [[row, *[200] * (len(header) - 1)] for row in range(2)]
    PATH.write_text("\n".join(",".join(map(str, row)) for row in [header, *rows]))
    source = open_source(PATH, options)
    columns, _ = infer_columns(source, options, None, Sample(source))
    return columns


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
    assert columns.label == index
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
        (1, [1, 1, 1], (1, 1, 1)),
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
    message = error_of(names(20))
    assert message.startswith("images.csv: 20 pixel columns")
    assert "16 and 25" in message
    assert "set data.image_shape, for example [1,4,5] or [1,2,10] or [1,1,20]" in message
    assert message.endswith("data.ignore=[NAME]")


@pytest.mark.parametrize(
    ("num_pixels", "expected"),
    [
        (3 * 23 * 17, "[3,17,23] or [3,23,17] or [1,23,51]"),
        (3 * 14 * 20, "[3,14,20] or [3,20,14] or [1,28,30]"),
        (2 * 9 * 9, "[3,6,9] or [3,9,6] or [2,9,9]"),
        (20 * 30, "[1,24,25] or [1,20,30] or [1,15,40]"),
    ],
)
def test_color_shapes_that_are_nearly_square_are_suggested_first(
    num_pixels: int, expected: str
) -> None:
    assert f"for example {expected}, or" in error_of(names(num_pixels))


def test_pixels_of_one_rgb_square_are_read_as_such() -> None:
    assert columns_of(names(12)).image_shape == (3, 2, 2)


def test_one_pixel_too_many_is_not_advised_to_become_a_pixel() -> None:
    message = error_of(["label", "extra", *(f"pixel{index}" for index in range(4))], "label")
    assert message.startswith("images.csv, column extra: neither a pixel nor the label")
    assert "data.ignore=[extra]" in message
    message = error_of(["label", *(f"a{'b' * index}" for index in range(5))])
    assert message.startswith("images.csv: 5 pixel columns do not form a square, but one less")
    assert "data.ignore=[NAME]" in message
    assert "image_shape" not in message


def test_image_of_one_pixel_is_rejected_unless_its_shape_is_given() -> None:
    assert error_of(names(1)).startswith("images.csv: images of 1 pixels")


def test_image_shape_that_does_not_fit_is_rejected() -> None:
    message = error_of(names(12), image_shape=[1, 4, 4])
    assert message.startswith("images.csv: 12 pixel columns, but image shape [1, 4, 4] needs 16")
    assert "check data.image_shape" in message


@pytest.mark.slow
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
    assert columns_of(header, None, [1, 2, 2], allow_missing_labels=True).label is None
    assert columns_of(names(4), None, [1, 2, 2], allow_missing_labels=True).label == 0
    assert "no label column" in error_of(header, image_shape=[1, 2, 2])


def test_missing_label_column_is_rejected_by_name() -> None:
    message = error_of(["pixel0", "pixel1"], image_shape=[1, 1, 2])
    assert message.startswith("images.csv: there is no label column")
    assert "data.label_column=NAME" in message


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
    columns_of(names(4))
    with pytest.raises(ValueError, match="diagonal"):
        read_table(str(PATH), ReadOptions(layout="diagonal", cache="none"))

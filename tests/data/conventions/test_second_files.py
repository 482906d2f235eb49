"""A second file must be read as the training file was: columns by name, the same pixel range."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import polars
import pytest

from csvision.data.data_spec import DataSpec
from csvision.data.read_options import ReadOptions
from csvision.data.table import ImageTable, read_table
from csvision.errors import DataError
from tests.data.conventions.binary_files import encode
from tests.data.conventions.images import gray
from tests.data.conventions.write import column, pixel_names, rows_of, write_csv

AUTO = ReadOptions(cache="none")
PREDICT = ReadOptions(allow_missing_labels=True, cache="none")
CONTENT = gray()
LETTERS = [chr(ord("a") + index) * 2 for index in range(25)]


def spec_of(names: list[str]) -> DataSpec:
    """Return what a file must match to be used with a training file with these pixel names."""
    return read_table(write_csv(rows_of(CONTENT), ["label", *names], "train.csv"), AUTO).spec


def shuffled_frame(names: list[str]) -> pd.DataFrame:
    """Return the same images with pixel columns in another order, and the label last."""
    frame = pd.DataFrame(rows_of(CONTENT, None), columns=names)
    frame = frame[list(np.random.default_rng(3).permutation(names))]
    frame["label"] = CONTENT.labels
    return frame


def error_of(path: str, options: ReadOptions, reference: DataSpec | None) -> str:
    """Return the only error message for a file."""
    with pytest.raises(DataError) as caught:
        read_table(path, options, reference=reference)
    (message,) = caught.value.messages
    return message


def assert_same(table: ImageTable) -> None:
    """Assert that a table has the images and labels of the training file."""
    np.testing.assert_array_equal(table.images, CONTENT.images)
    assert table.labels is not None
    assert table.labels.tolist() == CONTENT.labels


@pytest.mark.parametrize("names", [pixel_names(25), LETTERS], ids=["numbered", "unnumbered"])
def test_columns_in_another_order_are_matched_by_name(names: list[str]) -> None:
    reference = spec_of(names)
    shuffled_frame(names).to_csv("test.csv", index=False)
    table = read_table("test.csv", AUTO, reference=reference)
    assert_same(table)
    assert any("order" in notice for notice in table.notices)


def test_columns_in_another_order_are_matched_in_a_parquet_file() -> None:
    reference = spec_of(LETTERS)
    polars.from_pandas(shuffled_frame(LETTERS)).write_parquet("test.parquet")
    assert_same(read_table("test.parquet", AUTO, reference=reference))


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (["label", *LETTERS[:-1], "zz"], "no column is named 'yy'"),
        (["label", *LETTERS[:-1], "aa"], "more than one column is named 'aa'"),
        (["label", *pixel_names(25)], "no column is named 'aa'"),
    ],
)
def test_other_pixel_names_than_those_of_training_are_rejected(
    header: list[str], expected: str
) -> None:
    reference = spec_of(LETTERS)
    message = error_of(write_csv(rows_of(CONTENT), header), AUTO, reference)
    assert message.startswith(f"images.csv: {expected}")


@pytest.mark.parametrize("name", ["id", "Unnamed: 0", "filename", "ImageNumber"])
@pytest.mark.parametrize("names", [pixel_names(25), LETTERS], ids=["numbered", "unnumbered"])
@pytest.mark.parametrize("rows", [4, 60])
def test_identifiers_of_an_unlabeled_file_are_no_labels(
    name: str, names: list[str], rows: int
) -> None:
    reference = spec_of(names)
    unlabeled = rows_of(CONTENT, None)
    path = write_csv(column(CONTENT, range(60), unlabeled)[:rows], [name, *names])
    table = read_table(path, PREDICT, reference=reference)
    assert table.labels is None
    np.testing.assert_array_equal(table.images, CONTENT.images[:rows])
    if name != "ImageNumber":
        assert table.ids == [str(row) for row in range(rows)]
    assert any(name in notice for notice in table.notices)


def test_unlabeled_file_without_header_is_read_with_all_rows() -> None:
    reference = spec_of(pixel_names(25))
    np.savetxt("test.csv", CONTENT.pixels, delimiter=",")
    table = read_table("test.csv", PREDICT, reference=reference)
    np.testing.assert_array_equal(table.images, CONTENT.images)
    assert table.labels is None


def test_unlabeled_npz_file_and_folder_are_read() -> None:
    reference = spec_of(pixel_names(25))
    np.savez("images.npz", x=CONTENT.images[:, 0])
    table = read_table("images.npz", PREDICT, reference=reference)
    np.testing.assert_array_equal(table.images, CONTENT.images)
    assert table.labels is None
    Path("images").mkdir()
    for row in range(3):
        Path(f"images/{row}.png").write_bytes(encode(CONTENT.images[row]))
    table = read_table("images", PREDICT, reference=reference)
    np.testing.assert_array_equal(table.images, CONTENT.images[:3])
    assert table.labels is None
    assert table.ids == ["0.png", "1.png", "2.png"]


def test_label_keeps_its_position_in_files_without_header() -> None:
    twos = replace(CONTENT, labels=[label * 50 for label in CONTENT.labels])
    options = ReadOptions(header=False, label_column="0", cache="none")
    reference = read_table(write_csv(rows_of(twos), name="train.csv"), options).spec
    assert reference.label_column == "0"
    table = read_table(write_csv(rows_of(twos)), AUTO, reference=reference)
    np.testing.assert_array_equal(table.images, CONTENT.images)


def test_layout_in_the_names_is_that_of_training() -> None:
    names = [f"p_{y}_{x}_{c}" for y in range(5) for x in range(5) for c in range(3)]
    pixels = np.random.default_rng(0).integers(0, 256, (20, 75)).tolist()
    rows = [[row % 2, *cells] for row, cells in enumerate(pixels)]
    first = read_table(write_csv(rows, ["label", *names]), AUTO)
    second = read_table(write_csv(rows, ["label", *names]), AUTO, reference=first.spec)
    assert first.image_shape == (3, 5, 5)
    np.testing.assert_array_equal(second.images, first.images)
    assert first.images[0, :, 0, 0].tolist() == pixels[0][:3]


def scaled(highest: float, whole: bool = True) -> str:
    """Write the images with pixels from 0 to a highest value; return the path."""
    rows = [[row[0], *(value / 255 * highest for value in row[1:])] for row in rows_of(CONTENT)]
    if whole:
        rows = [[row[0], *map(round, row[1:])] for row in rows]
    return write_csv(rows, ["label", *pixel_names(25)], f"to_{highest}_{whole}.csv")


@pytest.mark.parametrize("trained", [1, 16, 255])
@pytest.mark.parametrize("other", [1, 16, 255])
def test_other_pixel_range_than_that_of_training_is_rejected(trained: int, other: int) -> None:
    reference = read_table(scaled(trained), AUTO).spec
    assert reference.pixel_range == (0, trained)
    path = scaled(other)
    if trained == other:
        assert read_table(path, AUTO, reference=reference).pixel_range == (0, trained)
        return
    message = error_of(path, AUTO, reference)
    assert message.startswith(f"{path}: pixels from 0 to {other}, but those of the training file")
    assert "data.pixel_range=" in message
    # The hint is followed: the range of this file is given.
    options = ReadOptions(pixel_range=other, cache="none")
    table = read_table(path, options, reference=reference)
    np.testing.assert_array_equal(table.images, read_table(path, options).images)


def test_fractions_are_scaled_to_the_range_of_training() -> None:
    reference = read_table(scaled(255), AUTO).spec
    table = read_table(scaled(1, whole=False), AUTO, reference=reference)
    assert_same(table)


def test_dark_file_has_the_range_of_training() -> None:
    reference = read_table(scaled(255), AUTO).spec
    Path("dark.csv").write_text(
        ",".join(["label", *pixel_names(25)]) + "\n" + "\n".join(["0" + ",0" * 25] * 3)
    )
    table = read_table("dark.csv", AUTO, reference=reference)
    assert not table.images.any()
    assert table.pixel_range == (0, 255)


def test_standardized_file_is_rejected_for_a_run_on_bytes() -> None:
    reference = read_table(scaled(255), AUTO).spec
    rows = [[row[0], *(value / 127.5 - 1 for value in row[1:])] for row in rows_of(CONTENT)]
    path = write_csv(rows, ["label", *pixel_names(25)])
    assert "data.pixel_range=" in error_of(path, AUTO, reference)
    options = ReadOptions(pixel_range=[-1, 1], cache="none")
    assert_same(read_table(path, options, reference=reference))


def test_images_of_another_shape_with_as_many_pixels_are_rejected() -> None:
    reference = replace(spec_of(pixel_names(25)), image_shape=(1, 1, 25), pixel_columns=None)
    np.savez("images.npz", x=CONTENT.images[:, 0], y=CONTENT.labels)
    message = error_of("images.npz", AUTO, reference)
    assert message.startswith("images.npz: images of shape [1, 5, 5]")

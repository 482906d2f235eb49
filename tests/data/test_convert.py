"""A converted file has the same images and labels, and needs the printed keys only."""

from collections.abc import Callable
from pathlib import Path

import pytest

from csvision.data.convert import write_table
from csvision.data.read_options import ReadOptions
from csvision.data.table import read_table
from csvision.errors import ConfigError
from tests.data.conventions import binary_files, text_files
from tests.data.conventions.images import Content
from tests.data.conventions.test_conventions import assert_content

Case = tuple[str, ReadOptions, Content]

WRITERS: list[Callable[[], Case]] = [
    text_files.fer2013,
    text_files.labels_with_leading_zeros,
    text_files.labels_that_look_missing,
    text_files.id_column_first,
    text_files.pixels_from_0_to_16,
    binary_files.folder_with_a_folder_per_split,
    binary_files.keras_npz,
]


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
@pytest.mark.parametrize("write", WRITERS, ids=lambda write: write.__name__)
def test_converted_file_has_the_same_content(write: Callable[[], Case], suffix: str) -> None:
    path, options, content = write()
    table = read_table(path, options)
    write_table(table, Path(f"new/clean.{suffix}"))
    converted = read_table(f"new/clean.{suffix}", ReadOptions(cache="none"))
    assert_content(converted, content)
    assert converted.split == table.split
    assert converted.pixel_range == (0, 255)


def test_other_suffixes_are_rejected() -> None:
    path, options, _ = text_files.kaggle_digit_recognizer()
    with pytest.raises(ConfigError, match=r"^out=clean\.txt: the name must end with"):
        write_table(read_table(path, options), Path("clean.txt"))


def test_folder_that_cannot_be_written_is_reported() -> None:
    path, options, _ = text_files.kaggle_digit_recognizer()
    with pytest.raises(ConfigError, match=r"^out=images\.csv/clean\.csv: cannot be written"):
        write_table(read_table(path, options), Path("images.csv/clean.csv"))

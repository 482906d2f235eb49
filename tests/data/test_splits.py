"""How rows are split into training, validation and test rows."""

import re
from dataclasses import replace
from functools import cache
from pathlib import Path
from random import Random

import numpy as np
import pytest
from hypothesis import given, reject, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from sklearn.model_selection import train_test_split

from csvision.config import schema
from csvision.config.compose import load_config
from csvision.data.splits import Splits, Subset, check_val_size, load_splits
from csvision.data.table import ImageTable
from csvision.errors import DataError

ONE_PIXEL = ("data=csv", "data.csv=own.csv", "data.image_shape=[1,1,1]", "data.pixel_range=255")


@cache
def data_config(*overrides: str) -> schema.DataConfig:
    config: schema.TrainConfig = load_config("train", overrides)
    return config.data


def config_of(labels: list[int], name: str = "own.csv") -> schema.DataConfig:
    """Write a file of one pixel per row, the number of the row; return its configuration."""
    lines = [f"{label},{row % 256}" for row, label in enumerate(labels)]
    Path(name).write_text("\n".join(["label,pixel", *lines]))
    return replace(data_config(*ONE_PIXEL), csv=name)


def error_of(data: schema.DataConfig) -> str:
    """Return the only message of the error raised for this configuration."""
    with pytest.raises(DataError) as error:
        load_splits(data)
    (message,) = error.value.messages
    return message


@pytest.fixture(scope="module")
def bundled() -> Splits:
    return load_splits(data_config())


@pytest.fixture(scope="module")
def scikit_learn_split() -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    train, test = train_test_split(np.arange(6000), test_size=0.2, random_state=20)
    return train, test


@pytest.mark.slow
def test_rows_of_the_notebooks_are_in_the_order_of_the_notebooks(
    scikit_learn_split: tuple[NDArray[np.int64], NDArray[np.int64]],
) -> None:
    train, test = scikit_learn_split
    splits = load_splits(data_config("data.val_size=0"))
    assert (len(splits.train), len(splits.val), len(splits.test)) == (4800, 0, 1200)
    assert splits.train.indices.tolist() == train.tolist()
    assert splits.test.indices.tolist() == test.tolist()


def test_validation_rows_are_taken_from_the_training_rows(
    bundled: Splits, scikit_learn_split: tuple[NDArray[np.int64], NDArray[np.int64]]
) -> None:
    train, test = scikit_learn_split
    assert (len(bundled.train), len(bundled.val)) == (4320, 480)
    assert bundled.test.indices.tolist() == test.tolist()
    remaining, validation = set(bundled.train.indices.tolist()), set(bundled.val.indices.tolist())
    assert not remaining & validation
    assert remaining | validation == set(train.tolist())


def test_validation_rows_are_stratified_by_class(bundled: Splits) -> None:
    available = np.bincount(np.concatenate([bundled.train.labels, bundled.val.labels]))
    selected = np.bincount(bundled.val.labels)
    assert np.abs(selected - 0.1 * available).max() < 1


def test_split_depends_only_on_its_seed() -> None:
    data = config_of([0, 1] * 50)
    first, again = load_splits(data), load_splits(data)
    other_test = load_splits(replace(data, split_seed=21))
    other_val = load_splits(replace(data, val_seed=1))
    for name in ("train", "val", "test"):
        assert getattr(first, name).indices.tolist() == getattr(again, name).indices.tolist()
    assert set(other_test.test.indices) != set(first.test.indices)
    assert other_val.test.indices.tolist() == first.test.indices.tolist()
    assert set(other_val.val.indices) != set(first.val.indices)


def test_labels_of_a_subset_belong_to_its_rows() -> None:
    labels = [7, -3, 7, 12, -3, 12, 7, -3, 12, 7] * 3
    splits = load_splits(config_of(labels))
    for subset in (splits.train, splits.val, splits.test):
        values = [subset.table.label_values[index] for index in subset.labels]
        assert values == [labels[row] for row in subset.indices]


def test_separate_test_file_is_used_completely() -> None:
    data = replace(config_of([3, 5, 9] * 10), test_csv=config_of([5, 9, 9], "test.csv").csv)
    splits = load_splits(replace(data, val_size=0.0))
    assert splits.train.indices.tolist() == list(range(30))
    assert splits.test.indices.tolist() == [0, 1, 2]
    assert splits.test.table is not splits.train.table
    splits = load_splits(data)
    assert sorted([*splits.train.indices, *splits.val.indices]) == list(range(30))
    assert len(splits.val) == 3
    assert splits.test.indices.tolist() == [0, 1, 2]


def test_test_file_has_the_classes_of_the_training_file() -> None:
    test_csv = config_of([9, 5, 9], "test.csv").csv
    data = replace(config_of([3, 5, 9] * 10), test_csv=test_csv, classes=["cat", "dog", "eel"])
    test = load_splits(data).test
    assert test.labels.tolist() == [2, 1, 2]
    assert test.table.classes == ["cat", "dog", "eel"]


def test_unknown_label_in_the_test_file_is_rejected() -> None:
    test_csv = config_of([9, 4], "test.csv").csv
    data = replace(config_of([3, 5, 9] * 10), test_csv=test_csv)
    message = error_of(data)
    assert message.startswith("test.csv, row 1: label 4 is not one of 3, 5, 9;")
    assert "the 1 row with" in message


def test_test_file_with_other_image_shape_is_rejected() -> None:
    Path("test.csv").write_text("label,a,b\n3,0,0\n5,0,0\n")
    data = replace(config_of([3, 5, 9] * 10), test_csv="test.csv")
    message = error_of(data)
    assert message.startswith("test.csv: no column is named 'pixel', a pixel of the training file")


def test_class_with_one_training_row_is_rejected_by_label() -> None:
    test_csv = config_of([3, 5], "test.csv").csv
    data = replace(config_of([3, 5] * 10 + [-40]), test_csv=test_csv)
    message = error_of(data)
    assert message.startswith("own.csv: label -40 has only one training row;")
    assert message.endswith("add rows or set data.val_size=0")
    assert len(load_splits(replace(data, val_size=0.0)).train) == 21
    load_splits(replace(config_of([3, 5] * 10 + [-40, -40]), test_csv=test_csv))


def test_too_few_validation_rows_for_all_classes_are_rejected() -> None:
    data = config_of([1, 2, 3] * 10)
    message = error_of(replace(data, val_size=0.05))
    assert message.startswith("own.csv: data.val_size=0.05 divides ")
    assert "data.val_size=0.2, or" in message
    assert set(load_splits(replace(data, val_size=0.2)).val.labels) == {0, 1, 2}
    assert set(load_splits(replace(data, val_size=0.125)).val.labels) == {0, 1, 2}


def test_split_without_training_rows_is_rejected() -> None:
    data = config_of([1, 2])
    message = error_of(replace(data, test_size=0.9))
    assert message.startswith("own.csv: data.test_size=0.9 ")
    assert "write data.test_size=0.2" in message
    load_splits(replace(data, test_size=0.2, val_size=0.0))


def test_limit_rows_keeps_the_first_rows_of_every_split(bundled: Splits) -> None:
    limited = load_splits(data_config(), limit_rows=7)
    for name in ("train", "val", "test"):
        complete = getattr(bundled, name).indices
        assert getattr(limited, name).indices.tolist() == complete[:7].tolist()


def test_limit_rows_above_the_number_of_rows_keeps_all_rows() -> None:
    data = config_of([0, 1] * 20)
    splits, limited = load_splits(data), load_splits(data, limit_rows=1000)
    assert len(limited.train) == len(splits.train) > 0
    assert len(limited.val) == len(splits.val) > 0
    assert len(limited.test) == len(splits.test) > 0


def test_validate_world_size_rejects_a_split_with_fewer_rows_than_processes() -> None:
    images = np.zeros((10, 1, 1, 1), np.uint8)
    table = ImageTable.from_arrays(images, np.arange(10) % 2, [0, 1], ["a", "b"])
    train, val, test = (Subset.full(table).head(count) for count in (10, 0, 3))
    Splits(train, val, test).validate_world_size(3)
    with pytest.raises(DataError, match=r"accelerator\.devices=4: the test split .* 3 rows"):
        Splits(train, val, test).validate_world_size(4)


@pytest.mark.slow
@given(
    counts=st.lists(st.integers(8, 30), min_size=2, max_size=5),
    order=st.randoms(use_true_random=False),
    test_size=st.floats(0.01, 0.8),
    val_size=st.just(0.0) | st.floats(0.1, 0.7),
    seed=st.integers(0, 2**32 - 1),
)
@settings(deadline=None, max_examples=150)
def test_every_row_is_in_exactly_one_split(
    counts: list[int], order: Random, test_size: float, val_size: float, seed: int
) -> None:
    labels = [label for label, count in enumerate(counts) for _ in range(count)]
    order.shuffle(labels)
    data = replace(
        config_of(labels), test_size=test_size, val_size=val_size, split_seed=seed, val_seed=seed
    )
    try:
        splits = load_splits(data)
    except DataError:
        # A random split may leave too few rows of a class; hypothesis fails if this is frequent.
        reject()
    indices = [*splits.train.indices, *splits.val.indices, *splits.test.indices]
    assert sorted(indices) == list(range(len(labels)))
    assert len(splits.train)
    assert len(splits.test)
    assert bool(len(splits.val)) == bool(val_size)


USAGE = ["Training"] * 20 + ["PublicTest"] * 6 + ["PrivateTest"] * 4


def write_usage(words: list[str], name: str = "Usage") -> schema.DataConfig:
    """Write a file with a column of splits; return its configuration."""
    lines = [f"{row % 2},{row},{row},{row},200,{word}" for row, word in enumerate(words)]
    Path("own.csv").write_text("\n".join([f"label,a,b,c,d,{name}", *lines]))
    return data_config("data=csv", "data.csv=own.csv")


def test_split_column_gives_the_splits() -> None:
    splits = load_splits(write_usage(USAGE))
    assert splits.train.indices.tolist() == list(range(20))
    assert splits.val.indices.tolist() == list(range(20, 26))
    assert splits.test.indices.tolist() == list(range(26, 30))
    assert any("Usage" in notice for notice in splits.train.table.notices)


def test_split_that_the_column_does_not_name_is_drawn_from_its_training_rows() -> None:
    splits = load_splits(write_usage(["train"] * 30 + ["test"] * 10, "split"))
    assert splits.test.indices.tolist() == list(range(30, 40))
    assert len(splits.val) == 3
    assert sorted([*splits.train.indices, *splits.val.indices]) == list(range(30))
    splits = load_splits(write_usage(["train"] * 30 + ["val"] * 10, "subset"))
    assert splits.val.indices.tolist() == list(range(30, 40))
    assert sorted([*splits.train.indices, *splits.test.indices]) == list(range(30))


def test_unknown_word_in_a_split_column_is_rejected_by_row() -> None:
    message = error_of(write_usage([*USAGE, "Unused"]))
    assert message.startswith("own.csv, row 30, column Usage: 'Unused' is not train, val or test")
    assert "data.ignore" in message


def test_split_column_without_training_rows_is_rejected() -> None:
    assert "training rows" in error_of(write_usage(["test"] * 10, "split"))


@settings(deadline=None)
@given(
    counts=st.lists(st.integers(2, 6), min_size=1, max_size=5),
    val_size=st.floats(0.001, 0.999),
)
def test_advice_about_the_size_of_the_validation_split_works(
    counts: list[int], val_size: float
) -> None:
    labels = [label for label, count in enumerate(counts) for _ in range(count)]
    count, classes = len(labels), len(counts)
    try:
        check_val_size(replace(data_config(), val_size=val_size), count, classes)
    except DataError as error:
        advised = float(re.findall(r"write data\.val_size=([\d.]+),", str(error))[0])
        with pytest.raises(ValueError, match=r"number of classes|will be empty"):
            train_test_split(labels, test_size=val_size, stratify=labels)
    else:
        advised = val_size
    train, val = train_test_split(labels, test_size=advised, stratify=labels, random_state=0)
    assert len(train) + len(val) == count

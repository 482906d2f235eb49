"""The cut into rows for training, validation and testing: whose rows, in which order."""

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

from csvision import config, schema
from csvision.data.split import Parts, read_parts
from csvision.errors import DataError


@cache
def configured(*overrides: str) -> schema.Data:
    train: schema.Train = config.load(config.compose("train", overrides))
    return train.data


def own_file(labels: list[int], name: str = "own.csv") -> schema.Data:
    """The settings of a file of one pixel a row, which counts the rows."""
    lines = [f"{label},{row % 256}" for row, label in enumerate(labels)]
    Path(name).write_text("\n".join(["label,pixel", *lines]))
    return replace(configured("data=csv", "data.csv=own.csv"), csv=name)


def refusal(data: schema.Data) -> str:
    """The one line with which a cut is refused."""
    with pytest.raises(DataError) as refused:
        read_parts(data)
    (fault,) = refused.value.faults
    return fault


@pytest.fixture(scope="module")
def embedded() -> Parts:
    return read_parts(configured())


@pytest.fixture(scope="module")
def scikit_learn_split() -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    train, test = train_test_split(np.arange(6000), test_size=0.2, random_state=20)
    return train, test


def test_the_notebooks_rows_come_in_the_notebooks_order(
    scikit_learn_split: tuple[NDArray[np.int64], NDArray[np.int64]],
) -> None:
    train, test = scikit_learn_split
    parts = read_parts(configured("data.val_size=0"))
    assert (len(parts.train), len(parts.val), len(parts.test)) == (4800, 0, 1200)
    assert parts.train.rows.tolist() == train.tolist()
    assert parts.test.rows.tolist() == test.tolist()


def test_validation_rows_come_out_of_the_training_part_alone(
    embedded: Parts, scikit_learn_split: tuple[NDArray[np.int64], NDArray[np.int64]]
) -> None:
    train, test = scikit_learn_split
    assert (len(embedded.train), len(embedded.val)) == (4320, 480)
    assert embedded.test.rows.tolist() == test.tolist()
    remaining, validation = set(embedded.train.rows.tolist()), set(embedded.val.rows.tolist())
    assert not remaining & validation
    assert remaining | validation == set(train.tolist())


def test_validation_rows_have_each_class_in_its_share(embedded: Parts) -> None:
    available = np.bincount(np.concatenate([embedded.train.labels, embedded.val.labels]))
    taken = np.bincount(embedded.val.labels)
    assert np.abs(taken - 0.1 * available).max() < 1


def test_another_seed_cuts_other_rows_and_the_same_seed_the_same() -> None:
    data = own_file([0, 1] * 50)
    first, again = read_parts(data), read_parts(data)
    other_test = read_parts(replace(data, split_seed=21))
    other_val = read_parts(replace(data, val_seed=1))
    for part in ("train", "val", "test"):
        assert getattr(first, part).rows.tolist() == getattr(again, part).rows.tolist()
    assert set(other_test.test.rows) != set(first.test.rows)
    assert other_val.test.rows.tolist() == first.test.rows.tolist()
    assert set(other_val.val.rows) != set(first.val.rows)


def test_the_labels_of_a_part_are_those_of_its_rows() -> None:
    labels = [7, -3, 7, 12, -3, 12, 7, -3, 12, 7] * 3
    parts = read_parts(own_file(labels))
    for part in (parts.train, parts.val, parts.test):
        values = [part.table.label_values[index] for index in part.labels]
        assert values == [labels[row] for row in part.rows]


def test_of_an_own_test_file_nothing_is_cut_and_nothing_for_it() -> None:
    data = replace(own_file([3, 5, 9] * 10), test_csv=own_file([5, 9, 9], "test.csv").csv)
    parts = read_parts(replace(data, val_size=0.0))
    assert parts.train.rows.tolist() == list(range(30))
    assert parts.test.rows.tolist() == [0, 1, 2]
    assert parts.test.table is not parts.train.table
    parts = read_parts(data)
    assert sorted([*parts.train.rows, *parts.val.rows]) == list(range(30))
    assert len(parts.val) == 3
    assert parts.test.rows.tolist() == [0, 1, 2]


def test_the_labels_of_a_test_file_have_the_classes_of_the_training_file() -> None:
    test_csv = own_file([9, 5, 9], "test.csv").csv
    data = replace(own_file([3, 5, 9] * 10), test_csv=test_csv, classes=["cat", "dog", "eel"])
    test = read_parts(data).test
    assert test.labels.tolist() == [2, 1, 2]
    assert test.table.classes == ["cat", "dog", "eel"]


def test_a_test_file_may_not_have_labels_of_its_own() -> None:
    test_csv = own_file([9, 4], "test.csv").csv
    data = replace(own_file([3, 5, 9] * 10), test_csv=test_csv)
    assert refusal(data) == (
        "test.csv, row 1: label 4 is none of the known ones (3, 5, 9); 1 rows have such labels"
    )


def test_a_test_file_must_have_the_training_files_images() -> None:
    Path("test.csv").write_text("label,a,b\n3,0,0\n5,0,0\n")
    data = replace(own_file([3, 5, 9] * 10), test_csv="test.csv")
    assert (
        refusal(data)
        == "test.csv has 3 columns where image_shape=[1, 1, 1] needs 1 pixels and a label"
    )


def test_a_label_too_rare_to_be_on_both_sides_is_refused_by_label() -> None:
    test_csv = own_file([3, 5], "test.csv").csv
    data = replace(own_file([3, 5] * 10 + [-40]), test_csv=test_csv)
    assert refusal(data) == (
        "own.csv: label -40 has one row in the training part where a validation part needs two; "
        "add rows or write data.val_size=0"
    )
    assert len(read_parts(replace(data, val_size=0.0)).train) == 21
    read_parts(replace(own_file([3, 5] * 10 + [-40, -40]), test_csv=test_csv))


def test_validation_rows_must_be_enough_for_every_class() -> None:
    data = own_file([1, 2, 3] * 10)
    assert refusal(replace(data, val_size=0.05)).startswith("own.csv: data.val_size=0.05: ")
    assert set(read_parts(replace(data, val_size=0.125)).val.labels) == {0, 1, 2}


def test_training_rows_must_remain() -> None:
    data = own_file([1, 2])
    assert refusal(replace(data, test_size=0.9)).startswith("own.csv: data.test_size=0.9: ")


def test_a_limit_keeps_the_first_rows_of_every_part(embedded: Parts) -> None:
    limited = read_parts(configured(), limit=7)
    for part in ("train", "val", "test"):
        whole = getattr(embedded, part).rows
        assert getattr(limited, part).rows.tolist() == whole[:7].tolist()


def test_a_limit_beyond_the_rows_keeps_them_all() -> None:
    data = own_file([0, 1] * 20)
    parts, limited = read_parts(data), read_parts(data, limit=1000)
    assert len(limited.train) == len(parts.train) > 0
    assert len(limited.val) == len(parts.val) > 0
    assert len(limited.test) == len(parts.test) > 0


@given(
    counts=st.lists(st.integers(8, 30), min_size=2, max_size=5),
    order=st.randoms(use_true_random=False),
    test_size=st.floats(0.01, 0.8),
    val_size=st.just(0.0) | st.floats(0.1, 0.7),
    seed=st.integers(0, 2**32 - 1),
)
@settings(deadline=None, max_examples=150)
def test_parts_share_no_row_and_leave_none_out(
    counts: list[int], order: Random, test_size: float, val_size: float, seed: int
) -> None:
    labels = [label for label, count in enumerate(counts) for _ in range(count)]
    order.shuffle(labels)
    data = replace(
        own_file(labels), test_size=test_size, val_size=val_size, split_seed=seed, val_seed=seed
    )
    try:
        parts = read_parts(data)
    except DataError:
        # Chance left too few rows of a label; hypothesis fails if that is the rule.
        reject()
    rows = [*parts.train.rows, *parts.val.rows, *parts.test.rows]
    assert sorted(rows) == list(range(len(labels)))
    assert len(parts.train)
    assert len(parts.test)
    assert bool(len(parts.val)) == bool(val_size)

"""Cross-validation: every training row is validated exactly once, test rows are untouched."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import csvision
from csvision.config import schema
from csvision.config.compose import load_config
from csvision.config.validate import find_errors
from csvision.data.splits import load_splits
from tests.data.test_splits import config_of, data_config, error_of


def folds_of(data: schema.DataConfig, folds: int) -> list[csvision.Splits]:
    """Return the splits of all folds."""
    return [load_splits(replace(data, folds=folds, fold=fold)) for fold in range(folds)]


def check_partition(data: schema.DataConfig, folds: int) -> None:
    """Check that the folds divide the training rows, by class, and never contain test rows."""
    whole = load_splits(replace(data, val_size=0.0))
    splits = folds_of(data, folds)
    validated = np.concatenate([each.val.indices for each in splits])
    assert sorted(validated) == sorted(whole.train.indices)
    for each in splits:
        assert each.test.indices.tolist() == whole.test.indices.tolist()
        assert sorted([*each.train.indices, *each.val.indices]) == sorted(whole.train.indices)
        expected = np.bincount(whole.train.labels) / folds
        assert np.abs(np.bincount(each.val.labels, minlength=len(expected)) - expected).max() < 1


@pytest.mark.slow
def test_folds_of_the_bundled_images_divide_the_training_rows() -> None:
    check_partition(data_config(), 5)


@pytest.mark.slow
@settings(max_examples=15, deadline=None)
@given(st.lists(st.integers(6, 20), min_size=2, max_size=4), st.integers(2, 4), st.integers(0, 9))
def test_folds_divide_any_training_rows(counts: list[int], folds: int, seed: int) -> None:
    labels = [label for label, count in enumerate(counts) for _ in range(count)]
    test_csv = config_of(labels, "test.csv").csv
    data = replace(config_of(labels), test_csv=test_csv, val_seed=seed)
    check_partition(data, folds)
    again = folds_of(data, folds)
    for one, two in zip(folds_of(data, folds), again, strict=True):
        assert one.val.indices.tolist() == two.val.indices.tolist()


def test_val_seed_draws_other_folds() -> None:
    one, two = (
        load_splits(replace(data_config(), folds=5, fold=0, val_seed=seed)) for seed in (0, 1)
    )
    assert set(one.val.indices) != set(two.val.indices)


@pytest.mark.parametrize(
    ("overrides", "says"),
    [
        (("data.folds=5",), ("data.folds=5 needs the fold", "data.fold=0")),
        (("data.fold=1",), ("data.fold=1 needs the number of folds", "data.folds=5")),
        (("data.fold=5", "data.folds=5"), ("data.fold=5 must be < data.folds=5", "from 0 to 4")),
        (("data.fold=0", "data.folds=5", "data.val_size=0.2"), ("data.val_size=0.2 contradicts",)),
        (("data.fold=0", "data.folds=5", "data.val_size=0"), ("data.val_size=0 contradicts",)),
        (("data.fold=0", "data.folds=1"), ("data.folds=1 must be >= 2",)),
        (("data.fold=-1", "data.folds=5"), ("data.fold=-1 must be >= 0",)),
    ],
)
def test_contradicting_keys_are_refused(overrides: tuple[str, ...], says: tuple[str, ...]) -> None:
    with pytest.raises(csvision.ConfigError) as caught:
        load_config("train", overrides)
    (message,) = caught.value.messages
    assert all(words in message for words in says)


def test_default_of_val_size_is_that_of_conf() -> None:
    config = load_config("train", [])
    assert config.data.val_size == schema.DEFAULT_VAL_SIZE
    assert find_errors(replace(config, data=replace(config.data, folds=3, fold=2))) == []


def test_class_with_fewer_rows_than_folds_is_refused_with_a_number_that_works() -> None:
    test_csv = config_of([3, 5], "test.csv").csv
    data = replace(config_of([3, 5] * 10 + [7] * 3), test_csv=test_csv)
    message = error_of(replace(data, folds=5, fold=0))
    assert message.startswith("own.csv: label 7 has only 3 training rows, but data.folds=5")
    assert "data.folds=3 or fewer" in message
    check_partition(data, 3)


def test_validation_rows_of_the_file_are_not_replaced() -> None:
    lines = [f"{row % 2},{row},{['train', 'val'][row % 10 == 9]}" for row in range(60)]
    Path("own.csv").write_text("\n".join(["label,pixel,split", *lines]), encoding="utf-8")
    data = replace(config_of([0, 1]), csv="own.csv")
    Path("own.csv").write_text("\n".join(["label,pixel,split", *lines]), encoding="utf-8")
    message = error_of(replace(data, folds=2, fold=0))
    assert message.startswith("own.csv: the split column names validation rows")

"""Each warning about a data set, and no warnings about a clean data set."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import csvision
from csvision.data.data_warnings import data_warnings
from csvision.data.read_options import ReadOptions
from csvision.data.splits import Splits, Subset
from csvision.data.table import read_table

Row = tuple[int | str, tuple[int, int, int, int]]
"""A label and the four pixels of an image."""

LEAKAGE = "test images also occur in the training set; test accuracy will be inflated"


def image(number: int) -> tuple[int, int, int, int]:
    """Return an image that no other number has and that is not constant."""
    return number // 200, number % 200, 3, 4


def rows(*labels: int | str, start: int = 0) -> list[Row]:
    """Return one row per label; images are distinct if the starts differ enough."""
    return [(label, image(start + index)) for index, label in enumerate(labels)]


def make_splits(train: list[Row], val: list[Row], test: list[Row], *classes: str) -> Splits:
    """Return splits with these rows, all in the same file."""
    all_rows = [*train, *val, *test]
    lines = [f"{label},{','.join(map(str, pixels))}" for label, pixels in all_rows]
    Path("images.csv").write_text("\n".join(["label,a,b,c,d", *lines]), encoding="utf-8")
    table = read_table(
        "images.csv", ReadOptions(pixel_range=255, cache="none"), classes=classes or None
    )
    indices = np.split(np.arange(len(all_rows)), [len(train), len(train) + len(val)])
    return Splits(*(Subset(table, part) for part in indices))


TRAIN = rows(0, 1, 2, 0, 1, 2)
VAL = rows(0, 1, 2, start=100)
TEST = rows(2, 1, 0, start=200)


def test_clean_data_gives_no_warnings() -> None:
    assert data_warnings(make_splits(TRAIN, VAL, TEST)) == []
    assert data_warnings(make_splits(TRAIN, [], TEST)) == []


def test_leakage_into_test_and_validation_rows() -> None:
    leaked = [*TEST, *TRAIN[:2], TRAIN[0]]
    assert data_warnings(make_splits(TRAIN, VAL, leaked)) == [f"3 {LEAKAGE}"]
    (warning,) = data_warnings(make_splits(TRAIN, [*VAL, TRAIN[5]], TEST))
    assert warning.startswith("1 validation images also occur in the training set")


def test_leakage_ignores_the_label() -> None:
    relabeled = (1, TRAIN[0][1])
    assert data_warnings(make_splits(TRAIN, VAL, [*TEST, relabeled])) == [f"1 {LEAKAGE}"]


def test_equal_images_with_different_labels_are_reported_with_their_rows() -> None:
    relabeled = (1, TRAIN[0][1])
    splits = make_splits([*TRAIN, relabeled], VAL, TEST, "cat", "dog", "owl")
    assert data_warnings(splits) == [
        "1 training images are duplicates of others (row 6 = 0)",
        "1 training images have another label than an equal image (row 0 is cat, row 6 is dog)",
    ]


def test_many_duplicates_are_shortened() -> None:
    warning, *_ = data_warnings(make_splits([TRAIN[0]] * 10 + TRAIN[1:], VAL, TEST))
    assert warning.startswith("9 training images are duplicates of others (row 1 = 0, row 2 = 0,")
    assert warning.endswith(", row 5 = 0, ...)")


def test_leakage_between_files() -> None:
    first = make_splits(TRAIN, VAL, TEST)
    second = make_splits(TEST, VAL, [*TEST, *TRAIN])
    splits = Splits(first.train, first.val, second.test)
    assert first.train.table is not second.test.table
    assert data_warnings(splits) == [f"6 {LEAKAGE}"]


def test_duplicates_are_counted_without_their_originals() -> None:
    assert data_warnings(make_splits([*TRAIN, TRAIN[1], TRAIN[1], TRAIN[3]], VAL, TEST)) == [
        "3 training images are duplicates of others (row 6 = 1, row 7 = 1, row 8 = 3)"
    ]


def test_constant_images_are_reported_with_the_first_row_of_the_file() -> None:
    black: Row = (0, (0, 0, 0, 0))
    gray: Row = (1, (7, 7, 7, 7))
    assert data_warnings(make_splits([*TRAIN[:4], gray, black, *TRAIN[4:]], VAL, TEST)) == [
        "2 training images are constant: all pixels are equal (first: row 4)"
    ]
    assert data_warnings(make_splits(TRAIN, [*VAL, gray], [*TEST, black])) == [
        "1 validation images are constant: all pixels are equal (first: row 9)",
        "1 test images are constant: all pixels are equal (first: row 13)",
    ]


def test_empty_classes_are_reported_for_each_split() -> None:
    classes = ("cat", "dog", "owl")
    assert data_warnings(make_splits(TRAIN, VAL[:2], TEST[:1], *classes)) == [
        "the validation set has no rows of class owl",
        "the test set has no rows of class cat, dog",
    ]
    assert data_warnings(make_splits(rows(0, 1, 0, 1), VAL[:2], TEST[1:], *classes)) == [
        "the training set has no rows of class owl",
        "the validation set has no rows of class owl",
        "the test set has no rows of class owl",
    ]


def test_imbalance_is_reported_from_a_ratio_of_ten() -> None:
    nearly = rows(*[0] * 9, 1, 2, 2)
    assert data_warnings(make_splits(nearly, VAL, TEST)) == []
    imbalanced = [*nearly, (0, image(50))]
    (warning,) = data_warnings(make_splits(imbalanced, VAL, TEST, "cat", "dog", "owl"))
    assert warning.startswith("class cat has 10 training rows, dog has 1;")
    assert "test/f1" in warning


def test_missing_label_values_are_reported() -> None:
    def warnings_of(*labels: int | str) -> list[str]:
        train, val, test = (rows(*labels, start=start) for start in (0, 100, 200))
        return data_warnings(make_splits(train, val, test))

    assert warnings_of(3, 9, 7) == ["label values that do not occur: 4, 5, 6, 8"]
    assert warnings_of(3, 4, 5) == []
    assert warnings_of(0, 5000) == []
    assert warnings_of("cat", "dog") == []


@pytest.mark.slow
def test_training_prints_and_logs_the_warnings(
    digits_csv: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    digits = pd.read_csv(digits_csv)
    digits.iloc[40, 1:] = 0
    digits.iloc[50] = digits.iloc[60]
    digits.to_csv("train.csv", index=False)
    digits.iloc[[5, 6, *range(100, 150)]].to_csv("test.csv", index=False)
    trained = csvision.train(
        "data=csv",
        "data.csv=train.csv",
        "data.test_csv=test.csv",
        "data.val_size=0.0",
        "model=mlp",
        "model.hidden=[]",
        "epochs=1",
        "accelerator=cpu",
        "logger=none",
    )
    expected = [
        f"data: 52 {LEAKAGE}",
        "data: 1 training images are duplicates of others (row 60 = 50)",
        "data: 1 training images are constant: all pixels are equal (first: row 40)",
    ]
    printed = capsys.readouterr().out.splitlines()
    assert [line for line in printed if line.startswith("data: ")] == expected
    log = (trained.directory / "train.log").read_text(encoding="utf-8")
    assert all(f"WARNING {line}" in log for line in expected)

"""What is remarkable about a data set: each finding by hand, none on a clean set."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import csvision
from csvision.data.findings import findings
from csvision.data.split import Part, Parts
from csvision.data.table import ImageTable, read_table

Row = tuple[int | str, tuple[int, int, int, int]]
"""A label and the four pixels of an image."""


def image(number: int) -> tuple[int, int, int, int]:
    """An image that no other number has, of more than one shade."""
    return number // 200, number % 200, 3, 4


def rows(*labels: int | str, start: int = 0) -> list[Row]:
    """A row a label, no two images alike for starts that are far enough apart."""
    return [(label, image(start + index)) for index, label in enumerate(labels)]


def parted(train: list[Row], val: list[Row], test: list[Row], *classes: str) -> Parts:
    """The parts that have these rows, all of one file."""
    everything = [*train, *val, *test]
    lines = [f"{label},{','.join(map(str, pixels))}" for label, pixels in everything]
    Path("images.csv").write_text("\n".join(["label,a,b,c,d", *lines]), encoding="utf-8")
    table = read_table("images.csv", classes=classes or None, cache="none")
    first, second = len(train), len(train) + len(val)
    return Parts(
        part(table, 0, first), part(table, first, second), part(table, second, len(everything))
    )


def part(table: ImageTable, start: int, end: int) -> Part:
    return Part(table, np.arange(start, end))


TRAIN = rows(0, 1, 2, 0, 1, 2)
VAL = rows(0, 1, 2, start=100)
TEST = rows(2, 1, 0, start=200)


def test_nothing_is_remarkable_about_a_clean_set() -> None:
    assert findings(parted(TRAIN, VAL, TEST)) == []
    assert findings(parted(TRAIN, [], TEST)) == []


def test_images_on_both_sides_of_a_split_are_told() -> None:
    assert findings(parted(TRAIN, VAL, [*TEST, *TRAIN[:2], TRAIN[0]])) == [
        "3 test images also stand among the training rows: figures flatter"
    ]
    assert findings(parted(TRAIN, [*VAL, TRAIN[5]], TEST)) == [
        "1 validation images also stand among the training rows: figures flatter"
    ]


def test_the_same_image_under_another_label_stands_on_both_sides_too() -> None:
    assert findings(parted(TRAIN, VAL, [*TEST, (1, TRAIN[0][1])])) == [
        "1 test images also stand among the training rows: figures flatter"
    ]


def test_images_in_an_own_test_file_are_compared_too() -> None:
    ours, theirs = parted(TRAIN, VAL, TEST), parted(TEST, VAL, [*TEST, *TRAIN])
    parts = Parts(ours.train, ours.val, theirs.test)
    assert ours.train.table is not theirs.test.table
    assert findings(parts) == ["6 test images also stand among the training rows: figures flatter"]


def test_repeated_training_images_are_counted_without_their_originals() -> None:
    assert findings(parted([*TRAIN, TRAIN[1], TRAIN[1], TRAIN[3]], VAL, TEST)) == [
        "3 training images are repetitions of others"
    ]


def test_images_of_one_shade_are_told_with_the_first_row_of_the_file() -> None:
    black: Row = (0, (0, 0, 0, 0))
    grey: Row = (1, (7, 7, 7, 7))
    assert findings(parted([*TRAIN[:4], grey, black, *TRAIN[4:]], VAL, TEST)) == [
        "2 training images are of one shade (first: row 4)"
    ]
    assert findings(parted(TRAIN, [*VAL, grey], [*TEST, black])) == [
        "1 validation images are of one shade (first: row 9)",
        "1 test images are of one shade (first: row 13)",
    ]


def test_classes_without_a_row_are_told_for_each_part() -> None:
    assert findings(parted(TRAIN, VAL[:2], TEST[:1], "cat", "dog", "owl")) == [
        "no validation row is of class owl",
        "no test row is of class cat, dog",
    ]
    assert findings(parted(rows(0, 1, 0, 1), VAL[:2], TEST[1:], "cat", "dog", "owl")) == [
        "no training row is of class owl",
        "no validation row is of class owl",
        "no test row is of class owl",
    ]


def test_classes_of_very_different_sizes_are_told() -> None:
    nearly = rows(*[0] * 9, 1, 2, 2)
    assert findings(parted(nearly, VAL, TEST)) == []
    assert findings(parted([*nearly, (0, image(50))], VAL, TEST, "cat", "dog", "owl")) == [
        "class cat has 10 training rows, dog 1: accuracy says little, look at test/f1"
    ]


def test_whole_numbers_that_no_label_has_are_told() -> None:
    def told(*labels: int | str) -> list[str]:
        train, val, test = (rows(*labels, start=start) for start in (0, 100, 200))
        return findings(parted(train, val, test))

    assert told(3, 9, 7) == ["the labels have gaps: 4, 5, 6, 8"]
    assert told(3, 4, 5) == []
    assert told(0, 5000) == []
    assert told("cat", "dog") == []


def test_training_says_what_is_remarkable(
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
        "data: 52 test images also stand among the training rows: figures flatter",
        "data: 1 training images are repetitions of others",
        "data: 1 training images are of one shade (first: row 40)",
    ]
    printed = capsys.readouterr().out.splitlines()
    assert [line for line in printed if line.startswith("data: ")] == expected
    log = (trained.directory / "train.log").read_text(encoding="utf-8")
    assert all(f"WARNING {line}" in log for line in expected)

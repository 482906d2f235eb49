"""Split the rows of a file into training, validation and test rows."""

from dataclasses import dataclass, replace
from math import ceil

import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import StratifiedKFold, train_test_split

from csvision.config import schema
from csvision.data.read_options import ReadOptions
from csvision.data.table import ImageTable, read_table
from csvision.errors import DataError

Indices = NDArray[np.int64]

DEFAULT_TEST_SIZE = 0.2
"""A fraction that always leaves rows to train, if there are two."""


@dataclass(frozen=True)
class Subset:
    """Rows of a table, by their indices, in the order in which they are used."""

    table: ImageTable
    indices: Indices

    @classmethod
    def full(cls, table: ImageTable) -> "Subset":
        """Return all rows of a table in their order."""
        return cls(table, np.arange(len(table.images)))

    def __len__(self) -> int:
        return len(self.indices)

    @property
    def labels(self) -> NDArray[np.int64]:
        """The class index of each row (N,); only for a table with labels."""
        assert self.table.labels is not None
        return self.table.labels[self.indices]

    def head(self, count: int | None) -> "Subset":
        """Return the first `count` rows; all rows for None."""
        return Subset(self.table, self.indices[:count])


@dataclass(frozen=True)
class Splits:
    """The rows for training, validation (may be empty) and testing."""

    train: Subset
    val: Subset
    test: Subset

    @property
    def tables(self) -> list[ImageTable]:
        """The tables of the files: one, or one of training and one of test images."""
        tables = [self.train.table, self.test.table]
        return tables[:1] if tables[0] is tables[1] else tables

    def validate_world_size(self, world_size: int) -> None:
        """Raise DataError if a split that is not empty has fewer rows than processes."""
        for name, subset in (("train", self.train), ("val", self.val), ("test", self.test)):
            if 0 < len(subset) < world_size:
                raise DataError(
                    f"accelerator.devices={world_size}: the {name} split has only {len(subset)} "
                    "rows; use fewer devices"
                )


def load_splits(data: schema.DataConfig, limit_rows: int | None = None) -> Splits:
    """Read the configured files and split their rows; keep the first `limit_rows` of each split.

    Raises DataError if a file or a split cannot be used.
    """
    options = ReadOptions.from_config(data)
    table = read_table(data.csv, options, classes=data.classes)
    train, val, test = split_rows(table, data)
    if data.test_csv is None:
        test_subset = Subset(table, test)
    else:
        test_options = replace(options, labels_csv=None)
        test_subset = Subset.full(read_table(data.test_csv, test_options, reference=table.spec))
    return Splits(
        Subset(table, train).head(limit_rows),
        Subset(table, val).head(limit_rows),
        test_subset.head(limit_rows),
    )


def split_rows(table: ImageTable, data: schema.DataConfig) -> tuple[Indices, Indices, Indices]:
    """Return training, validation and test rows: by the split column of the file, else at random.

    A split that the column does not name is drawn from its training rows.
    """
    train, val, test = (
        np.flatnonzero(np.array(table.split) == name) if table.split else np.arange(0)
        for name in ("train", "val", "test")
    )
    if not table.split:
        train = np.arange(len(table.images))
    elif not train.size:
        raise DataError(f"{data.csv}: the split column names no training rows; correct it")
    if data.test_csv is None and not test.size:
        train, test = split_test(train, data)
    if data.folds is not None:
        if val.size:
            raise DataError(
                f"{data.csv}: the split column names validation rows, but data.folds={data.folds} "
                "chooses them from the training rows; leave out the folds, or the column"
            )
        train, val = split_fold(train, table, data)
    elif not val.size:
        train, val = split_val(train, table, data)
    return train, val, test


def split_test(indices: Indices, data: schema.DataConfig) -> tuple[Indices, Indices]:
    """Return training and test rows by scikit-learn's train_test_split, not stratified."""
    count, num_test = len(indices), ceil(data.test_size * len(indices))
    if num_test == count:
        smaller = "" if count == 1 else f"write data.test_size={DEFAULT_TEST_SIZE}, "
        raise DataError(
            f"{data.csv}: data.test_size={data.test_size:g} makes {num_test} of {count} rows test "
            f"rows and leaves none to train; {smaller}add rows, or write data.test_csv=FILE"
        )
    train, test = train_test_split(indices, test_size=data.test_size, random_state=data.split_seed)
    return train, test


def split_val(
    indices: Indices, table: ImageTable, data: schema.DataConfig
) -> tuple[Indices, Indices]:
    """Return training and validation rows, stratified by class."""
    if not data.val_size:
        return indices, indices[:0]
    assert table.labels is not None
    labels = table.labels[indices]
    counts = np.bincount(labels, minlength=len(table.classes))
    single = np.flatnonzero(counts == 1)
    check_label_column(table, data, single.size)
    if single.size:
        raise DataError(
            f"{data.csv}: label {table.label_values[single[0]]} has only one training row; a "
            "validation split needs two per class; add rows or set data.val_size=0"
        )
    check_val_size(data, len(indices), int(np.count_nonzero(counts)))
    train, val = train_test_split(
        indices, test_size=data.val_size, random_state=data.val_seed, stratify=labels
    )
    return train, val


def check_val_size(data: schema.DataConfig, count: int, num_classes: int) -> None:
    """Raise DataError if a stratified split has fewer rows on one side than there are classes."""
    num_val = ceil(data.val_size * count)
    if num_classes <= num_val <= count - num_classes:
        return
    # Each class has two rows, so that this is at most a half, and valid.
    size = ceil(10 * num_classes / count) / 10
    raise DataError(
        f"{data.csv}: data.val_size={data.val_size:g} divides {count} rows into "
        f"{count - num_val} for training and {num_val} for validation, but both need one of each "
        f"of the {num_classes} classes; write data.val_size={size:g}, or data.val_size=0 for no "
        "validation"
    )


def split_fold(
    indices: Indices, table: ImageTable, data: schema.DataConfig
) -> tuple[Indices, Indices]:
    """Return training and validation rows of one fold of scikit-learn's StratifiedKFold.

    Every row is in the validation rows of exactly one fold. Raises DataError if a class has fewer
    rows than there are folds.
    """
    assert table.labels is not None
    assert data.folds is not None
    assert data.fold is not None
    labels = table.labels[indices]
    counts = np.bincount(labels, minlength=len(table.classes))
    check_label_column(table, data, int(np.count_nonzero(counts == 1)))
    rare = np.flatnonzero((counts > 0) & (counts < data.folds))
    if rare.size:
        least = int(counts[rare].min())
        value = table.label_values[rare[counts[rare].argmin()]]
        fewer = f"use data.folds={least} or fewer" if least > 1 else "leave out data.folds"
        raise DataError(
            f"{data.csv}: label {value} has only {least} training row{'s'[: least != 1]}, but "
            f"data.folds={data.folds} needs one in each fold; {fewer}, or add rows"
        )
    folds = StratifiedKFold(data.folds, shuffle=True, random_state=data.val_seed)
    train, val = list(folds.split(indices, labels))[data.fold]
    return indices[train], indices[val]


def check_label_column(table: ImageTable, data: schema.DataConfig, single: int) -> None:
    """Raise DataError if most labels have a `single` row only: they are probably no labels."""
    if single > len(table.classes) / 2:
        raise DataError(
            f"{data.csv}: {single} of {len(table.classes)} labels have only one training row, "
            "so the column is probably not the label; set data.label_column=NAME, or add rows"
        )

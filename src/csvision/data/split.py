"""Which rows train, which validate, which test."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import train_test_split

from csvision import schema
from csvision.data.table import ImageTable, read_table
from csvision.errors import DataError

Rows = NDArray[np.int64]


@dataclass(frozen=True)
class Part:
    """Some rows of a table, in the order in which they are used."""

    table: ImageTable
    rows: Rows

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def labels(self) -> NDArray[np.int64]:
        """The class of each row; only for a table with labels."""
        assert self.table.labels is not None
        return self.table.labels[self.rows]

    def first(self, count: int | None) -> "Part":
        """The part cut down to its first rows; all of them for None."""
        return Part(self.table, self.rows[:count])


@dataclass(frozen=True)
class Parts:
    """The rows for training, for validation (perhaps none) and for testing."""

    train: Part
    val: Part
    test: Part

    def require_rows(self, devices: int) -> None:
        """Raise DataError for a part, unless it is empty, with fewer rows than devices."""
        for name, part in (("training", self.train), ("validation", self.val), ("test", self.test)):
            if 0 < len(part) < devices:
                raise DataError(
                    f"accelerator.devices={devices}: {len(part)} {name} rows are too few for that"
                )


def read_parts(data: schema.Data, limit: int | None = None) -> Parts:
    """Read the files that `data` names and part their rows; `limit` keeps the first of each part.

    Raises DataError when a file or a split cannot be used.
    """
    table = read_source(data.csv, data)
    rows = np.arange(len(table.images))
    if data.test_csv is None:
        train, test_rows = split_test(rows, data)
        test = Part(table, test_rows)
    else:
        train = rows
        test = whole(read_source(data.test_csv, data, like=table))
    train, val = split_val(train, table, data)
    return Parts(Part(table, train).first(limit), Part(table, val).first(limit), test.first(limit))


def read_source(source: str, data: schema.Data, like: ImageTable | None = None) -> ImageTable:
    """Read a file as `data` says; with `like` its shape and labels must be that table's."""
    return read_table(
        source,
        label=data.label,
        image_shape=data.image_shape if like is None else like.image_shape,
        layout=data.layout,
        classes=data.classes if like is None else like.classes,
        label_values=None if like is None else like.label_values,
        cache=data.cache,
        unpacked_gib=data.unpacked_gib,
    )


def whole(table: ImageTable) -> Part:
    """All rows of a table, in its order."""
    return Part(table, np.arange(len(table.images)))


def split_test(rows: Rows, data: schema.Data) -> tuple[Rows, Rows]:
    """Rows for training and for testing: scikit-learn's split, not stratified."""
    try:
        train, test = train_test_split(rows, test_size=data.test_size, random_state=data.split_seed)
    except ValueError as error:
        raise DataError(f"{data.csv}: data.test_size={data.test_size}: {error}") from error
    return train, test


def split_val(rows: Rows, table: ImageTable, data: schema.Data) -> tuple[Rows, Rows]:
    """Rows that stay for training and rows for validation, stratified by class."""
    if not data.val_size:
        return rows, rows[:0]
    assert table.labels is not None
    labels = table.labels[rows]
    counts = np.bincount(labels, minlength=len(table.classes))
    for index in np.flatnonzero(counts == 1):
        raise DataError(
            f"{data.csv}: label {table.label_values[index]} has one row in the training part "
            "where a validation part needs two; add rows or write data.val_size=0"
        )
    try:
        train, val = train_test_split(
            rows, test_size=data.val_size, random_state=data.val_seed, stratify=labels
        )
    except ValueError as error:
        raise DataError(f"{data.csv}: data.val_size={data.val_size}: {error}") from error
    return train, val

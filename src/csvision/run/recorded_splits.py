"""Record which rows of a file each split has, and find these rows again in a file that has grown.

N is the number of rows of a split.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from csvision.data.splits import Indices, Splits, Subset
from csvision.data.table import ImageTable
from csvision.errors import RunError
from csvision.files import replace_file
from csvision.run.provenance import arrays_sha256

Hashes = NDArray[np.uint64]


@dataclass(frozen=True)
class RecordedRows:
    """The rows of a split: indices in the file, hashes of images, and class indices, each (N,)."""

    indices: Indices
    images: Hashes
    labels: Indices

    @classmethod
    def of(cls, subset: Subset) -> "RecordedRows":
        """Return the rows of a subset."""
        return cls(subset.indices, subset.table.hashes[subset.indices], subset.labels)

    @property
    def keys(self) -> Hashes:
        """A hash of image and label of each row (N,)."""
        return row_keys(self.images, self.labels)


@dataclass(frozen=True)
class RecordedSplits:
    """The rows of the three splits."""

    train: RecordedRows
    val: RecordedRows
    test: RecordedRows


def row_keys(images: Hashes, labels: Indices) -> Hashes:
    """Return a 64-bit hash of image and label of each row."""
    # The constant (2^64 divided by the golden ratio, odd) gives each label another pattern of bits.
    keys: Hashes = images ^ (labels.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15))
    return keys


def write_splits(path: Path, splits: Splits) -> None:
    """Record the rows of the splits of a run; raises OSError if the file cannot be written."""
    arrays: dict[str, NDArray[np.int64] | Hashes] = {}
    for name, subset in (("train", splits.train), ("val", splits.val), ("test", splits.test)):
        rows = RecordedRows.of(subset)
        arrays |= {f"{name}_{entry}": values for entry, values in vars(rows).items()}
    with replace_file(path) as file:
        # Not compressed: a file needs no more memory than its size.
        np.savez(file, allow_pickle=False, **arrays)


def read_splits(path: Path, split_sha256: str) -> RecordedSplits:
    """Return the recorded rows; raises RunError if their indices do not have the given hash."""
    try:
        # numpy leaves a file open that it has opened and cannot read.
        with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
            splits = RecordedSplits(
                *(
                    RecordedRows(
                        *(arrays[f"{name}_{entry}"] for entry in ("indices", "images", "labels"))
                    )
                    for name in ("train", "val", "test")
                )
            )
        indices = [rows.indices for rows in (splits.train, splits.val, splits.test)]
        if arrays_sha256(*indices) != split_sha256:
            raise ValueError("its rows do not have the split_sha256 of run.json")
    # numpy raises any exception for a damaged file.
    except Exception as error:
        raise RunError(
            f"{path} is damaged ({error}); delete it to draw the splits from an unchanged file"
        ) from error
    return splits


def find_rows(table: ImageTable, recorded: Sequence[RecordedRows]) -> list[Indices] | None:
    """Return the indices of recorded rows of one file in a table that has additional rows.

    All recorded rows must occur in their order. Returns None if one does not. The class indices of
    the table must be those of the run.
    """
    assert table.labels is not None
    indices = np.concatenate([rows.indices for rows in recorded])
    keys = np.concatenate([rows.keys for rows in recorded])
    order = np.argsort(indices, kind="stable")
    positions = find_subsequence(row_keys(table.hashes, table.labels), keys[order])
    if positions is None:
        return None
    found = np.empty_like(indices)
    found[order] = positions
    return np.split(found, np.cumsum([len(rows.indices) for rows in recorded])[:-1])


def find_subsequence(values: Hashes, wanted: Hashes) -> Indices | None:
    """Return the first positions at which all of `wanted` occur in `values` in this order.

    Returns None if they do not.
    """
    positions = np.empty(len(wanted), np.int64)
    remaining = iter(enumerate(values.tolist()))
    for number, value in enumerate(wanted.tolist()):
        position = next((index for index, found in remaining if found == value), None)
        if position is None:
            return None
        positions[number] = position
    return positions


def has_all_rows(table: ImageTable, recorded: Sequence[RecordedRows]) -> bool:
    """Return whether a table has all recorded rows, in any order."""
    assert table.labels is not None
    keys = np.concatenate([rows.keys for rows in recorded])
    return bool(np.isin(keys, row_keys(table.hashes, table.labels)).all())

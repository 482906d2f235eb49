"""Recording the rows of the splits, and finding them in files that have grown."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from csvision.data.splits import Splits, Subset
from csvision.data.table import ImageTable
from csvision.errors import RunError
from csvision.run.provenance import arrays_sha256
from csvision.run.recorded_splits import (
    RecordedRows,
    find_rows,
    find_subsequence,
    has_all_rows,
    read_splits,
    row_keys,
    write_splits,
)


def table_of(images: list[int], labels: list[int], values: Sequence[int | str]) -> ImageTable:
    """Return a table of 2x2 images of a single gray value."""
    pixels = np.repeat(np.array(images, np.uint8), 4).reshape(-1, 1, 2, 2)
    return ImageTable.from_arrays(pixels, np.array(labels), values, list(map(str, values)))


def splits_of(table: ImageTable) -> Splits:
    train, val, test = (np.array(rows) for rows in ([5, 0, 3], [1], [4, 2]))
    return Splits(Subset(table, train), Subset(table, val), Subset(table, test))


TABLE = table_of([9, 8, 9, 7, 6, 5], [0, 1, 1, 0, 1, 0], ["a", "b"])


def keys_of(table: ImageTable) -> NDArray[np.uint64]:
    assert table.labels is not None
    return row_keys(table.hashes, table.labels)


def split_hash(splits: Splits) -> str:
    return arrays_sha256(splits.train.indices, splits.val.indices, splits.test.indices)


def test_written_splits_are_read_again(tmp_path: Path) -> None:
    splits = splits_of(TABLE)
    write_splits(tmp_path / "splits.npz", splits)
    recorded = read_splits(tmp_path / "splits.npz", split_hash(splits))
    for rows, subset in (
        (recorded.train, splits.train),
        (recorded.val, splits.val),
        (recorded.test, splits.test),
    ):
        np.testing.assert_array_equal(rows.indices, subset.indices)
        np.testing.assert_array_equal(rows.images, TABLE.hashes[subset.indices])
        np.testing.assert_array_equal(rows.labels, subset.labels)
    assert [path.name for path in tmp_path.iterdir()] == ["splits.npz"]


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"\x93NUMPY\x01\x00", b"\x80\x04N."])
def test_damaged_file_is_refused(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "splits.npz"
    path.write_bytes(content)
    with pytest.raises(RunError, match=r"splits\.npz is damaged"):
        read_splits(path, "0" * 64)


def test_splits_of_another_run_are_refused(tmp_path: Path) -> None:
    write_splits(tmp_path / "splits.npz", splits_of(TABLE))
    with pytest.raises(RunError, match=r"splits\.npz is damaged .*split_sha256"):
        read_splits(tmp_path / "splits.npz", "0" * 64)


class TestRowKeys:
    def test_depend_on_image_and_label(self) -> None:
        assert len(set(keys_of(TABLE).tolist())) == 6

    def test_of_an_unknown_label_are_those_of_no_row(self) -> None:
        table = table_of([9, 8], [0, -1], ["a", "b"])
        assert keys_of(table)[0] == keys_of(TABLE)[0]
        assert keys_of(table)[1] not in keys_of(TABLE)


class TestFindRows:
    def recorded(self) -> list[RecordedRows]:
        splits = splits_of(TABLE)
        return [RecordedRows.of(subset) for subset in (splits.train, splits.val, splits.test)]

    def test_additional_rows_are_skipped(self) -> None:
        grown = table_of([1, 9, 8, 2, 9, 7, 6, 5, 9], [1, 0, 1, 0, 1, 0, 1, 0, 1], ["a", "b"])
        found = find_rows(grown, self.recorded())
        assert found is not None
        assert [indices.tolist() for indices in found] == [[7, 1, 5], [2], [6, 4]]

    @pytest.mark.parametrize("missing", range(6))
    def test_missing_row_is_noticed(self, missing: int) -> None:
        keep = [row for row in range(6) if row != missing]
        images, labels = [9, 8, 9, 7, 6, 5], [0, 1, 1, 0, 1, 0]
        table = table_of([images[row] for row in keep], [labels[row] for row in keep], ["a", "b"])
        assert find_rows(table, self.recorded()) is None
        assert not has_all_rows(table, self.recorded())

    def test_changed_label_is_noticed(self) -> None:
        assert find_rows(table_of([9, 8, 9, 7, 6, 5], [0] * 6, ["a", "b"]), self.recorded()) is None

    def test_changed_order_is_noticed(self) -> None:
        table = table_of([8, 9, 9, 7, 6, 5], [1, 0, 1, 0, 1, 0], ["a", "b"])
        assert find_rows(table, self.recorded()) is None
        assert has_all_rows(table, self.recorded())


@given(st.lists(st.integers(0, 3)), st.lists(st.booleans()))
def test_subsequence_is_found_at_its_values(numbers: list[int], chosen: list[bool]) -> None:
    wanted = [value for value, choice in zip(numbers, chosen, strict=False) if choice]
    values = np.array(numbers, np.uint64)
    positions = find_subsequence(values, np.array(wanted, np.uint64))
    assert positions is not None
    assert values[positions].tolist() == wanted
    assert (np.diff(positions) > 0).all()


@given(st.lists(st.integers(0, 3), max_size=6), st.lists(st.integers(0, 3), max_size=4))
def test_subsequence_is_found_if_and_only_if_it_exists(
    numbers: list[int], wanted: list[int]
) -> None:
    remaining = iter(numbers)
    exists = all(value in remaining for value in wanted)
    found = find_subsequence(np.array(numbers, np.uint64), np.array(wanted, np.uint64))
    assert (found is not None) is exists

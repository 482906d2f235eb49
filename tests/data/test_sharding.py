"""How several processes share the rows of a split."""

from collections.abc import Sequence

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import csvision
from csvision.data.loader import BatchLoader, ShardInfo
from csvision.data.splits import Splits, Subset
from csvision.data.table import ImageTable
from csvision.errors import DataError
from tests.conftest import SMALL_RUN, digits


def numbered_subset(indices: Sequence[int]) -> Subset:
    """Return rows of a table in which the class of a row is its index and each pixel its half."""
    numbers = np.arange(60)
    images = np.broadcast_to((numbers // 2).astype(np.uint8)[:, None, None, None], (60, 1, 2, 2))
    names = [str(number) for number in numbers]
    table = ImageTable.from_arrays(images.copy(), numbers, list(range(60)), names)
    return Subset(table, np.array(indices, dtype=np.int64))


def shard(
    subset: Subset,
    rank: int,
    world_size: int,
    batch_size: int = 7,
    seed: int | None = None,
    epoch: int = 0,
) -> list[int]:
    """Return the indices of all batches of one process."""
    loader = BatchLoader(
        subset, batch_size, seed=seed, shard=ShardInfo(rank=rank, world_size=world_size)
    )
    loader.set_epoch(epoch)
    batches = list(loader)
    assert len(batches) == len(loader)
    assert all(len(labels) == batch_size for _, labels in batches[:-1])
    assert all(torch.equal(images[:, 0, 0, 0], labels // 2) for images, labels in batches)
    return [int(label) for _, labels in batches for label in labels]


subset_indices = st.permutations(range(60)).flatmap(
    lambda indices: st.integers(0, 50).map(lambda size: indices[:size])
)


@given(subset_indices, st.integers(1, 4), st.integers(1, 60))
def test_in_evaluation_each_row_belongs_to_exactly_one_process(
    indices: list[int], world_size: int, batch_size: int
) -> None:
    subset = numbered_subset(indices)
    shards = [shard(subset, rank, world_size, batch_size) for rank in range(world_size)]
    ordered = [shards[index % world_size][index // world_size] for index in range(len(indices))]
    assert ordered == indices
    assert sum(map(len, shards)) == len(indices)


@given(subset_indices, st.integers(1, 4), st.integers(0, 2**40), st.integers(0, 5))
def test_in_training_all_processes_have_the_same_number_of_different_rows(
    indices: list[int], world_size: int, seed: int, epoch: int
) -> None:
    subset = numbered_subset(indices)
    shards = [shard(subset, rank, world_size, seed=seed, epoch=epoch) for rank in range(world_size)]
    used = [index for part in shards for index in part]
    assert {len(part) for part in shards} == {len(indices) // world_size}
    assert len(set(used)) == len(used)
    assert set(used) <= set(indices)


def test_each_epoch_omits_other_rows() -> None:
    subset = numbered_subset(range(11))
    omitted = {
        index
        for epoch in range(60)
        for index in set(range(11))
        - {index for rank in range(4) for index in shard(subset, rank, 4, seed=0, epoch=epoch)}
    }
    assert omitted == set(range(11))


def test_split_needs_a_row_per_process_unless_it_is_empty() -> None:
    enough, few, empty = (numbered_subset(range(rows)) for rows in (4, 3, 0))
    Splits(enough, enough, enough).validate_world_size(4)
    Splits(enough, empty, enough).validate_world_size(4)
    for splits in (Splits(few, enough, enough), Splits(enough, few, enough)):
        with pytest.raises(DataError, match=r"devices=4: the (train|val) split .* 3 rows"):
            splits.validate_world_size(4)


def test_training_with_fewer_test_rows_than_processes_is_refused() -> None:
    digits(300).to_csv("digits.csv", index=False)
    digits(1).to_csv("one.csv", index=False)
    with pytest.raises(DataError, match=r"accelerator\.devices=2: the test split .* 1 rows"):
        csvision.train(*SMALL_RUN, "data.test_csv=one.csv", "accelerator.devices=2")

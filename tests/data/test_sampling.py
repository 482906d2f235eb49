"""Balanced sampling: classes equally often, whatever the number of processes."""

import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st

from csvision.data.loader import BatchLoader, ShardInfo
from csvision.data.sampling import ClassSampler
from csvision.data.splits import Subset
from csvision.data.table import read_table
from tests.conftest import digits


@given(st.lists(st.integers(0, 5), min_size=1, max_size=30), st.integers(0, 99))
def test_every_class_and_every_row_is_drawn(values: list[int], seed: int) -> None:
    labels = np.array(values)
    drawn = ClassSampler(labels).draw(4000, torch.Generator().manual_seed(seed)).numpy()
    assert set(drawn) == set(range(len(labels)))
    _, counts = np.unique(labels[drawn], return_counts=True)
    # The standard deviation of a count is at most sqrt(4000) / 2 = 32.
    assert np.abs(counts - 4000 / len(counts)).max() < 6 * 32


def imbalanced() -> Subset:
    """Return 1 one and 20 zeros of the digits."""
    table = digits(300)
    rows = [*table.index[table["label"] == 0][:20], table.index[table["label"] == 1][0]]
    table.loc[rows].to_csv("imbalanced.csv", index=False)
    return Subset.full(read_table("imbalanced.csv"))


def test_epoch_has_as_many_rows_of_each_class() -> None:
    subset = imbalanced()
    loader = BatchLoader(subset, 8, seed=1, balanced=True)
    labels = []
    for epoch in range(40):
        loader.set_epoch(epoch)
        labels += [label for _, batch in loader for label in batch.tolist()]
    assert len(labels) == 40 * len(subset)
    assert 0.42 < np.mean(labels) < 0.58


def test_order_depends_on_seed_and_epoch_and_not_on_the_number_of_processes() -> None:
    subset = imbalanced()

    def rows(epoch: int, rank: int = 0, world_size: int = 1, seed: int = 1) -> list[int]:
        shard = ShardInfo(rank=rank, world_size=world_size)
        loader = BatchLoader(subset, 8, seed, shard, balanced=True)
        loader.set_epoch(epoch)
        return loader.epoch_indices().tolist()

    whole = rows(epoch=3)
    assert rows(epoch=3) == whole
    assert rows(epoch=4) != whole != rows(epoch=3, seed=2)
    assert [rows(3, rank, 3) for rank in range(3)] == [whole[rank::3] for rank in range(3)]

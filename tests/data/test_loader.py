"""Batches: which rows they contain and in which order."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from csvision.data.loader import BatchLoader
from csvision.data.splits import Subset
from csvision.data.table import ImageTable


def numbered_subset(indices: list[int], table_rows: int = 256) -> Subset:
    """Return rows of a table whose image n has only pixels n and has class n % 10."""
    numbers = np.arange(table_rows)
    pixels = numbers.astype(np.uint8)[:, None, None, None]
    images = np.broadcast_to(pixels, (table_rows, 1, 2, 3)).copy()
    classes = [str(label) for label in range(10)]
    table = ImageTable.from_arrays(images, numbers % 10, list(range(10)), classes)
    return Subset(table, np.array(indices, np.int64))


def rows_of(loader: BatchLoader) -> list[int]:
    """Return the rows of one epoch, read off the images."""
    return [int(image[0, 0, 0]) for images, _ in loader for image in images]


some_indices = st.lists(st.integers(0, 255), unique=True, min_size=1, max_size=40)
seeds = st.integers(0, 2**63 - 1)


@given(indices=some_indices, batch_size=st.integers(1, 50), seed=st.none() | seeds)
@settings(deadline=None)
def test_each_epoch_contains_every_row_once_with_its_label(
    indices: list[int], batch_size: int, seed: int | None
) -> None:
    loader = BatchLoader(numbered_subset(indices), batch_size, seed)
    for epoch in range(3):
        loader.set_epoch(epoch)
        batches = list(loader)
        images = torch.cat([images for images, _ in batches])
        labels = torch.cat([labels for _, labels in batches])
        numbers = images[:, 0, 0, 0]
        assert sorted(numbers.tolist()) == sorted(indices)
        assert (images == numbers[:, None, None, None]).all()
        assert labels.tolist() == [number % 10 for number in numbers.tolist()]


@pytest.mark.slow
@given(indices=some_indices, batch_size=st.integers(1, 50))
@settings(deadline=None)
def test_only_the_last_batch_may_be_smaller(indices: list[int], batch_size: int) -> None:
    loader = BatchLoader(numbered_subset(indices), batch_size, seed=0)
    sizes = [len(labels) for _, labels in loader]
    assert len(loader) == len(sizes)
    assert sum(sizes) == len(indices)
    assert sizes[:-1] == [batch_size] * (len(sizes) - 1)
    assert 1 <= sizes[-1] <= batch_size


def test_ten_rows_in_batches_of_four_give_three_batches() -> None:
    loader = BatchLoader(numbered_subset(list(range(10))), batch_size=4)
    assert len(loader) == 3
    assert [len(labels) for _, labels in loader] == [4, 4, 2]


def test_images_are_uint8_and_labels_are_class_indices() -> None:
    images, labels = next(iter(BatchLoader(numbered_subset([9, 255, 13]), batch_size=2)))
    assert images.dtype == torch.uint8
    assert images.shape == (2, 1, 2, 3)
    assert images.tolist() == [[[[9] * 3] * 2], [[[255] * 3] * 2]]
    assert labels.dtype == torch.int64
    assert labels.tolist() == [9, 5]


def test_without_a_seed_every_epoch_has_the_order_of_the_subset() -> None:
    indices = [7, 3, 200, 0, 11, 12, 5]
    loader = BatchLoader(numbered_subset(indices), batch_size=3)
    for epoch in range(3):
        loader.set_epoch(epoch)
        assert rows_of(loader) == indices


@given(
    indices=some_indices,
    seed=seeds,
    epoch=st.integers(0, 1000),
    batch_sizes=st.tuples(st.integers(1, 50), st.integers(1, 50)),
    earlier_epochs=st.lists(st.integers(0, 1000), max_size=3),
)
@settings(deadline=None)
def test_order_depends_only_on_seed_and_epoch(
    indices: list[int],
    seed: int,
    epoch: int,
    batch_sizes: tuple[int, int],
    earlier_epochs: list[int],
) -> None:
    torch.manual_seed(1)
    fresh = BatchLoader(numbered_subset(indices), batch_sizes[0], seed)
    fresh.set_epoch(epoch)
    order = rows_of(fresh)

    torch.manual_seed(2)
    used = BatchLoader(numbered_subset(indices), batch_sizes[1], seed)
    other = BatchLoader(numbered_subset(indices), 1, seed + 1)
    for earlier in earlier_epochs:
        used.set_epoch(earlier)
        rows_of(used)
        rows_of(other)
    used.set_epoch(epoch)
    interrupted = iter(used)
    next(interrupted)
    assert rows_of(used) == order
    assert rows_of(used) == order


def test_two_iterators_of_a_loader_are_independent() -> None:
    loader = BatchLoader(numbered_subset(list(range(20))), batch_size=1, seed=0)
    alone = rows_of(loader)
    first, second = zip(*zip(loader, loader, strict=True), strict=True)
    assert [int(images[0, 0, 0, 0]) for images, _ in first] == alone
    assert [int(images[0, 0, 0, 0]) for images, _ in second] == alone


def test_global_random_state_of_torch_is_not_changed() -> None:
    torch.manual_seed(0)
    before = torch.get_rng_state()
    rows_of(BatchLoader(numbered_subset(list(range(20))), batch_size=4, seed=0))
    assert torch.equal(torch.get_rng_state(), before)


def test_order_differs_between_epochs_and_seeds() -> None:
    indices = list(range(100))
    orders = set()
    for seed in range(5):
        loader = BatchLoader(numbered_subset(indices), batch_size=32, seed=seed)
        for epoch in range(20):
            loader.set_epoch(epoch)
            orders.add(tuple(rows_of(loader)))
    assert len(orders) == 5 * 20
    assert tuple(indices) not in orders


def test_epochs_are_counted_from_0() -> None:
    default = BatchLoader(numbered_subset(list(range(50))), batch_size=8, seed=3)
    explicit = BatchLoader(numbered_subset(list(range(50))), batch_size=8, seed=3)
    explicit.set_epoch(0)
    assert rows_of(default) == rows_of(explicit)


def test_all_permutations_are_equally_likely() -> None:
    # 4 rows have 24 permutations; in 2,400 epochs, each occurs about 100 times.
    loader = BatchLoader(numbered_subset([0, 1, 2, 3]), batch_size=4, seed=0)
    counts: dict[tuple[int, ...], int] = {}
    for epoch in range(2400):
        loader.set_epoch(epoch)
        order = tuple(rows_of(loader))
        counts[order] = counts.get(order, 0) + 1
    assert len(counts) == 24
    # Six standard deviations of a count; the seed is fixed, so the test is deterministic.
    assert all(abs(count - 100) < 60 for count in counts.values())


def test_loaded_state_applies_to_the_next_epoch_only() -> None:
    loader = BatchLoader(numbered_subset(list(range(10))), batch_size=3, seed=0)
    complete = rows_of(loader)
    iterator = iter(loader)
    next(iterator)
    next(iterator)
    state = loader.state_dict()
    assert state == {"position": 2}

    resumed = BatchLoader(numbered_subset(list(range(10))), batch_size=3, seed=0)
    resumed.load_state_dict(state)
    assert rows_of(resumed) == complete[6:]
    assert resumed.state_dict() == {"position": 0}
    assert rows_of(resumed) == complete


def test_table_is_not_copied() -> None:
    subset = numbered_subset([0, 1])
    loader = BatchLoader(subset, batch_size=2)
    subset.table.images[:] = 77
    assert rows_of(loader) == [77, 77]

"""Batches: which rows they hold, in which order, and what decides it."""

import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from csvision.data.batches import BatchLoader
from csvision.data.split import Part
from csvision.data.table import table_of


def part_of(rows: list[int], table_rows: int = 256) -> Part:
    """Rows of a table whose image number n is full of n and has class n % 10."""
    numbers = np.arange(table_rows)
    images = np.broadcast_to(numbers[:, None, None, None], (table_rows, 1, 2, 3))
    labels = [str(label) for label in range(10)]
    table = table_of(images.astype(np.uint8), numbers % 10, list(range(10)), labels)
    return Part(table, np.array(rows, np.int64))


def rows_given(loader: BatchLoader) -> list[int]:
    """The rows of one pass, read off the images."""
    return [int(image[0, 0, 0]) for images, _ in loader for image in images]


some_rows = st.lists(st.integers(0, 255), unique=True, min_size=1, max_size=40)
seeds = st.integers(0, 2**63 - 1)


@given(rows=some_rows, batch_size=st.integers(1, 50), seed=st.none() | seeds)
@settings(deadline=None)
def test_every_row_comes_once_an_epoch_with_its_own_label(
    rows: list[int], batch_size: int, seed: int | None
) -> None:
    loader = BatchLoader(part_of(rows), batch_size, seed)
    for epoch in range(3):
        loader.set_epoch(epoch)
        batches = list(loader)
        images = torch.cat([images for images, _ in batches])
        labels = torch.cat([labels for _, labels in batches])
        numbers = images[:, 0, 0, 0]
        assert sorted(numbers.tolist()) == sorted(rows)
        assert (images == numbers[:, None, None, None]).all()
        assert labels.tolist() == [number % 10 for number in numbers.tolist()]


@given(rows=some_rows, batch_size=st.integers(1, 50))
@settings(deadline=None)
def test_all_batches_are_full_but_the_last(rows: list[int], batch_size: int) -> None:
    loader = BatchLoader(part_of(rows), batch_size, seed=0)
    sizes = [len(labels) for _, labels in loader]
    assert len(loader) == len(sizes)
    assert sum(sizes) == len(rows)
    assert sizes[:-1] == [batch_size] * (len(sizes) - 1)
    assert 1 <= sizes[-1] <= batch_size


def test_ten_rows_in_batches_of_four_are_three_batches() -> None:
    loader = BatchLoader(part_of(list(range(10))), batch_size=4)
    assert len(loader) == 3
    assert [len(labels) for _, labels in loader] == [4, 4, 2]


def test_images_stay_bytes_and_classes_are_indices() -> None:
    images, labels = next(iter(BatchLoader(part_of([9, 255, 13]), batch_size=2)))
    assert images.dtype == torch.uint8
    assert images.shape == (2, 1, 2, 3)
    assert images.tolist() == [[[[9] * 3] * 2], [[[255] * 3] * 2]]
    assert labels.dtype == torch.int64
    assert labels.tolist() == [9, 5]


def test_without_a_seed_the_rows_come_in_the_parts_order_every_epoch() -> None:
    rows = [7, 3, 200, 0, 11, 12, 5]
    loader = BatchLoader(part_of(rows), batch_size=3)
    for epoch in range(3):
        loader.set_epoch(epoch)
        assert rows_given(loader) == rows


@given(
    rows=some_rows,
    seed=seeds,
    epoch=st.integers(0, 1000),
    batch_sizes=st.tuples(st.integers(1, 50), st.integers(1, 50)),
    before=st.lists(st.integers(0, 1000), max_size=3),
)
@settings(deadline=None)
def test_seed_and_epoch_alone_decide_the_order(
    rows: list[int], seed: int, epoch: int, batch_sizes: tuple[int, int], before: list[int]
) -> None:
    torch.manual_seed(1)
    fresh = BatchLoader(part_of(rows), batch_sizes[0], seed)
    fresh.set_epoch(epoch)
    order = rows_given(fresh)

    torch.manual_seed(2)
    used = BatchLoader(part_of(rows), batch_sizes[1], seed)
    other = BatchLoader(part_of(rows), 1, seed + 1)
    for earlier in before:
        used.set_epoch(earlier)
        rows_given(used)
        rows_given(other)
    used.set_epoch(epoch)
    unfinished = iter(used)
    next(unfinished)
    assert rows_given(used) == order
    assert rows_given(used) == order


def test_two_passes_at_once_do_not_disturb_each_other() -> None:
    loader = BatchLoader(part_of(list(range(20))), batch_size=1, seed=0)
    alone = rows_given(loader)
    first, second = zip(*zip(loader, loader, strict=True), strict=True)
    assert [int(images[0, 0, 0, 0]) for images, _ in first] == alone
    assert [int(images[0, 0, 0, 0]) for images, _ in second] == alone


def test_torchs_own_chance_is_left_alone() -> None:
    torch.manual_seed(0)
    before = torch.get_rng_state()
    rows_given(BatchLoader(part_of(list(range(20))), batch_size=4, seed=0))
    assert torch.equal(torch.get_rng_state(), before)


def test_every_epoch_and_every_seed_has_an_order_of_its_own() -> None:
    rows = list(range(100))
    orders = set()
    for seed in range(5):
        loader = BatchLoader(part_of(rows), batch_size=32, seed=seed)
        for epoch in range(20):
            loader.set_epoch(epoch)
            orders.add(tuple(rows_given(loader)))
    assert len(orders) == 5 * 20
    assert tuple(rows) not in orders


def test_the_first_epoch_is_number_0() -> None:
    first = BatchLoader(part_of(list(range(50))), batch_size=8, seed=3)
    told = BatchLoader(part_of(list(range(50))), batch_size=8, seed=3)
    told.set_epoch(0)
    assert rows_given(first) == rows_given(told)


def test_every_row_is_as_likely_in_every_place() -> None:
    # 4 rows have 24 orders; 2,400 epochs give each about 100 times.
    loader = BatchLoader(part_of([0, 1, 2, 3]), batch_size=4, seed=0)
    counts: dict[tuple[int, ...], int] = {}
    for epoch in range(2400):
        loader.set_epoch(epoch)
        order = tuple(rows_given(loader))
        counts[order] = counts.get(order, 0) + 1
    assert len(counts) == 24
    # Six standard deviations of a count; the seed is fixed, so that this holds or never does.
    assert all(abs(count - 100) < 60 for count in counts.values())


def test_the_table_is_not_copied() -> None:
    part = part_of([0, 1])
    loader = BatchLoader(part, batch_size=2)
    part.table.images[:] = 77
    assert rows_given(loader) == [77, 77]

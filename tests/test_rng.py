"""Seeds of random streams: known values, no two equal; the global generators."""

import random

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from csvision.rng import derive_seed, isolate_rng, seed_global_generators, seeded_generators

names = st.lists(st.text("abc", min_size=1, max_size=3) | st.integers(0, 99), max_size=3)


def test_seeds_of_streams_never_change() -> None:
    # Other values would change the result of every run. These are half of the first 16 digits of
    # `printf 0/weights | sha256sum` and `printf 42/order/3 | sha256sum`.
    assert derive_seed(0, "weights") == 0x03B4290604C66D74 // 2
    assert derive_seed(42, "order", 3) == 0x015437EAF294D2F6 // 2


@given(seed=st.integers(0), names=names)
def test_torch_accepts_every_seed(seed: int, names: list[str | int]) -> None:
    value = derive_seed(seed, *names)
    assert 0 <= value < 2**63
    assert torch.Generator().manual_seed(value).initial_seed() == value
    assert derive_seed(seed, *names) == value


@given(
    one=st.tuples(st.integers(0), names),
    other=st.tuples(st.integers(0), names),
)
def test_different_names_or_seeds_give_different_seeds(
    one: tuple[int, list[str | int]], other: tuple[int, list[str | int]]
) -> None:
    equal = [one[0], *map(str, one[1])] == [other[0], *map(str, other[1])]
    assert (derive_seed(one[0], *one[1]) == derive_seed(other[0], *other[1])) is equal


def test_neighboring_seeds_are_distinct_and_spread_out() -> None:
    seeds = {
        derive_seed(seed, name, epoch)
        for seed in range(20)
        for name in ("weights", "order", "dropout")
        for epoch in range(20)
    }
    assert len(seeds) == 20 * 3 * 20
    # Some seed lies in every sixteenth of the range.
    assert {seed >> 59 for seed in seeds} == set(range(16))


def draw() -> tuple[float, float, float, float]:
    """Draw from the global generators of torch, Python and NumPy."""
    return (
        float(torch.rand(())),
        random.random(),
        float(np.random.rand()),
        float(np.random.normal()),
    )


def test_seed_decides_the_numbers_of_all_global_generators() -> None:
    seed_global_generators(3, torch_seed=30)
    first = draw()
    seed_global_generators(3, torch_seed=30)
    assert draw() == first
    seed_global_generators(4, torch_seed=40)
    assert not set(draw()) & set(first)


def test_seed_of_torch_decides_the_numbers_of_torch_alone() -> None:
    seed_global_generators(3, torch_seed=30)
    first = draw()
    seed_global_generators(3, torch_seed=31)
    second = draw()
    assert second[0] != first[0]
    assert second[1:] == first[1:]
    assert float(torch.rand((), generator=torch.Generator().manual_seed(31))) == second[0]


def test_seeded_generators_are_restored() -> None:
    seed_global_generators(3, torch_seed=30)
    expected = draw()
    seed_global_generators(3, torch_seed=30)
    with seeded_generators(7):
        first = draw()
    assert draw() == expected
    with seeded_generators(7):
        assert draw() == first


def test_generators_are_restored_after_an_error() -> None:
    seed_global_generators(3, torch_seed=30)
    expected = draw()
    seed_global_generators(3, torch_seed=30)
    with pytest.raises(ZeroDivisionError), isolate_rng():
        print(1 / (0 * draw()[0]))
    assert draw() == expected

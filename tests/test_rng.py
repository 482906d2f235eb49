"""Seeds of random streams: known values, no two equal."""

import torch
from hypothesis import given
from hypothesis import strategies as st

from csvision.rng import derive_seed

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

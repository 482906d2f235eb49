"""One seed, many streams: known values, and no two streams alike."""

import torch
from hypothesis import given
from hypothesis import strategies as st

from csvision.seeding import stream_seed

names = st.lists(st.text("abc", min_size=1, max_size=3) | st.integers(0, 99), max_size=3)


def test_seeds_of_streams_never_change() -> None:
    # A run is repeated by its seed: other values here would change every run. These are half of
    # what `printf 0/weights | sha256sum` and `printf 42/order/3 | sha256sum` begin with.
    assert stream_seed(0, "weights") == 0x03B4290604C66D74 // 2
    assert stream_seed(42, "order", 3) == 0x015437EAF294D2F6 // 2


@given(seed=st.integers(0), names=names)
def test_any_seed_is_one_that_torch_takes(seed: int, names: list[str | int]) -> None:
    value = stream_seed(seed, *names)
    assert 0 <= value < 2**63
    assert torch.Generator().manual_seed(value).initial_seed() == value
    assert stream_seed(seed, *names) == value


@given(
    one=st.tuples(st.integers(0), names),
    other=st.tuples(st.integers(0), names),
)
def test_streams_of_other_names_or_seeds_have_other_seeds(
    one: tuple[int, list[str | int]], other: tuple[int, list[str | int]]
) -> None:
    alike = [one[0], *map(str, one[1])] == [other[0], *map(str, other[1])]
    assert (stream_seed(one[0], *one[1]) == stream_seed(other[0], *other[1])) is alike


def test_neighbours_share_nothing() -> None:
    seeds = {
        stream_seed(seed, name, epoch)
        for seed in range(20)
        for name in ("weights", "order", "dropout")
        for epoch in range(20)
    }
    assert len(seeds) == 20 * 3 * 20
    # A seed in every sixteenth of the range: neighbours are spread out.
    assert {seed >> 59 for seed in seeds} == set(range(16))

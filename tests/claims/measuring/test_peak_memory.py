"""Bytes of tensors that are alive, by hand."""

import pytest
import torch

from csvision.claims.measuring.peak_memory import Alive, peak


def test_memory_is_counted_while_tensors_live() -> None:
    alive = Alive()
    with alive:
        first = torch.zeros(1000)
        view = first.view(10, 100)
        assert sum(alive.sizes.values()) == 4000
        second = view + 1
        assert sum(alive.sizes.values()) == 8000
        del first
        assert sum(alive.sizes.values()) == 8000
        del view
        assert sum(alive.sizes.values()) == 4000
        del second
    assert alive.sizes == {}
    assert alive.peak == 8000


def test_what_was_there_before_is_not_counted() -> None:
    before = torch.zeros(1000)
    alive = Alive()
    with alive:
        after = before.double()
    assert alive.peak == after.nbytes == 8000


@pytest.mark.parametrize(("optimizer", "copies"), [("SGD with momentum", 1), ("Adam", 2)])
def test_an_optimizer_keeps_copies_of_the_weights(optimizer: str, copies: int) -> None:
    # The peak of a large batch is where gradients of maps are made, when all states are alive.
    more = peak(4800, optimizer) - peak(4800, "SGD")
    # Adam keeps the step of each of its six parameters besides, 4 bytes each.
    assert 0 <= more - 4 * 109_386 * copies <= 24


def test_a_step_holds_at_least_its_batch_weights_and_gradients() -> None:
    assert peak(32, "SGD") > 4 * (32 * 784 + 2 * 109_386)

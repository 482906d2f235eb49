"""Bytes of live tensors, by hand."""

import pytest
import torch

from csvision_claims.measuring.peak_memory import LiveTensorTracker, measure_peak


def test_memory_counts_while_tensors_are_live() -> None:
    tracker = LiveTensorTracker()
    with tracker:
        first = torch.zeros(1000)
        view = first.view(10, 100)
        assert sum(tracker.sizes.values()) == 4000
        second = view + 1
        assert sum(tracker.sizes.values()) == 8000
        del first
        assert sum(tracker.sizes.values()) == 8000
        del view
        assert sum(tracker.sizes.values()) == 4000
        del second
    assert tracker.sizes == {}
    assert tracker.peak == 8000


def test_earlier_tensors_are_not_counted() -> None:
    before = torch.zeros(1000)
    tracker = LiveTensorTracker()
    with tracker:
        after = before.double()
    assert tracker.peak == after.nbytes == 8000


@pytest.mark.parametrize(("optimizer", "copies"), [("SGD with momentum", 1), ("Adam", 2)])
def test_an_optimizer_keeps_copies_of_the_weights(optimizer: str, copies: int) -> None:
    # The peak of a large batch is where gradients of maps are created while all states are live.
    more = measure_peak(4800, optimizer) - measure_peak(4800, "SGD")
    # Adam also keeps the step of each of its six parameters, 4 bytes each.
    assert 0 <= more - 4 * 109_386 * copies <= 24


def test_step_needs_at_least_batch_weights_and_gradients() -> None:
    assert measure_peak(32, "SGD") > 4 * (32 * 784 + 2 * 109_386)

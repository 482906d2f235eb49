"""The learning-rate range test: the rate of each step, the stop, and the suggestion."""

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from csvision.callbacks.range_test import HALF_WINDOW, step_lr, suggest_lr
from csvision.config.lr_find_schema import RangeTestConfig


def settings(min_lr: float, max_lr: float, num_steps: int) -> RangeTestConfig:
    """Return settings with csvision's defaults for the others."""
    return RangeTestConfig(min_lr, max_lr, num_steps, 0.9, 4.0)


@given(st.floats(1e-9, 1e-2), st.floats(1.1, 1e6), st.integers(10, 200))
def test_rate_grows_by_one_factor_from_the_smallest_to_the_largest(
    min_lr: float, growth: float, num_steps: int
) -> None:
    chosen = settings(min_lr, min_lr * growth, num_steps)
    lrs = [step_lr(chosen, step) for step in range(num_steps)]
    assert lrs[0] == pytest.approx(min_lr)
    assert lrs[-1] == pytest.approx(min_lr * growth)
    factors = [after / before for before, after in pairwise(lrs)]
    assert factors == pytest.approx([growth ** (1 / (num_steps - 1))] * len(factors))


LRS = np.logspace(-6, 0, 61).tolist()


@pytest.mark.parametrize("center", [20, 30, 45])
def test_suggestion_is_the_rate_of_the_steepest_descent(center: int) -> None:
    losses = [2.3 - 1 / (1 + math.exp(-(step - center) / 3)) for step in range(len(LRS))]
    assert suggest_lr(LRS, losses) == pytest.approx(LRS[center])


def test_divergence_does_not_change_the_suggestion() -> None:
    losses = [2.3 - 1 / (1 + math.exp(-(step - 30) / 3)) for step in range(50)]
    for end in ([2.0, 5.0, 100.0], [2.0, math.nan], [math.inf]):
        assert suggest_lr(LRS, losses + end) == pytest.approx(LRS[30])


def test_single_low_batch_decides_nothing() -> None:
    losses = [2.3 - 1 / (1 + math.exp(-(step - 30) / 3)) for step in range(len(LRS))]
    losses[50] -= 0.2
    assert suggest_lr(LRS, losses) == pytest.approx(LRS[30], rel=0.5)


@pytest.mark.parametrize(
    "losses",
    [
        [],
        [math.nan],
        [2.3],
        [2.3] * 61,
        np.linspace(2.3, 9, 61).tolist(),
        np.linspace(2.3, 1, 2 * HALF_WINDOW).tolist(),
    ],
)
def test_loss_that_does_not_decrease_long_enough_suggests_nothing(losses: list[float]) -> None:
    assert suggest_lr(LRS[: len(losses)], losses) is None

"""The learning-rate range test: the rate of each step, the stop, and the suggestion."""

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from csvision.callbacks.range_test import (
    HALF_WINDOW,
    before_rise,
    is_clear_descent,
    step_lr,
    suggest_lr,
)
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


def curve(*parts: tuple[float, float, int]) -> list[float]:
    """Return losses that go from one value to another along half a cosine, part after part."""
    return [
        start + (end - start) * (1 - math.cos(math.pi * step / steps)) / 2
        for start, end, steps in parts
        for step in range(steps)
    ]


RISE_AND_RECOVERY = curve((1.1, 1.1, 20), (1.1, 0.6, 20), (0.6, 1.4, 4), (1.4, 0.3, 8), (0.3, 9, 9))
"""A loss that falls, rises sharply, and falls faster and lower afterwards."""


def test_recovery_after_a_sharp_rise_is_not_suggested() -> None:
    assert suggest_lr(LRS, RISE_AND_RECOVERY) == pytest.approx(LRS[30], rel=0.3)
    # Without the rise, the second descent is the steepest.
    flat = curve((1.1, 1.1, 20), (1.1, 0.6, 20), (0.6, 0.6, 4), (0.6, 0.0, 8), (0.0, 9, 9))
    assert suggest_lr(LRS, flat) == pytest.approx(LRS[48], rel=0.7)


@given(st.integers(0, 2**32 - 1), st.floats(0.01, 100))
def test_noise_and_scale_of_the_loss_do_not_change_what_is_suggested(
    seed: int, scale: float
) -> None:
    noise = np.random.default_rng(seed).normal(0, 0.005, len(LRS))
    losses = (scale * (np.array(RISE_AND_RECOVERY) + noise)).tolist()
    suggestion = suggest_lr(LRS, losses)
    assert suggestion is not None
    assert LRS[24] < suggestion < LRS[36]
    assert is_clear_descent(losses)


@pytest.mark.parametrize("loss", [math.nan, math.inf])
def test_loss_that_is_not_finite_is_a_rise(loss: float) -> None:
    assert before_rise(RISE_AND_RECOVERY) == RISE_AND_RECOVERY[:42]
    losses = [*RISE_AND_RECOVERY[:35], loss, *RISE_AND_RECOVERY[36:]]
    assert before_rise(losses) == RISE_AND_RECOVERY[:35]


def test_negative_loss_rises_by_a_fraction_of_its_size() -> None:
    losses = np.linspace(-1, -2, 30).tolist()
    assert before_rise([*losses, -1.7, -1.5, -3]) == [*losses, -1.7]


@pytest.mark.parametrize(
    "losses",
    [
        np.full(61, 2.3) + 0.02 * np.sin(np.arange(61)),
        np.array(curve((1.1, 1.1, 20), (1.1, 1.07, 20), (1.07, 2.0, 4), (2.0, 0.3, 17))),
    ],
    ids=["noise", "descent after a rise only"],
)
def test_curve_without_clear_descent_is_recognized(losses: "np.typing.NDArray[np.float64]") -> None:
    assert not is_clear_descent(losses.tolist())


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

"""Intervals agree with those of scipy."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import stats

from csvision.inspection.proportions import paired_difference, wilson


@given(st.integers(1, 10_000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_wilson_interval_is_that_of_scipy(counts: tuple[int, int]) -> None:
    successes, total = counts
    expected = stats.binomtest(successes, total).proportion_ci(0.95, "wilson")
    found = wilson(successes, total)
    assert found.value == successes / total
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high), abs=1e-12)
    assert 0 <= found.low <= found.value <= found.high <= 1


def test_interval_of_mean_outcomes_is_inside_of_zero_and_one_and_never_empty() -> None:
    """40 rows without any, with a quarter of one, and with all successes."""
    for successes in (0.0, 0.25, 39.75, 40.0):
        found = wilson(successes, 40)
        assert 0 <= found.low <= found.value <= found.high <= 1
        assert found.high - found.low > 0.05


def draw_outcomes(
    rng: np.random.Generator, changed: float, kept: float, rows: int, tests: int
) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
    """Outcomes before and the mean of four after (tests, rows), correlated within a row.

    A row is easy or hard; `changed` and `kept` are the probabilities of the outcomes after a shift.
    """
    before = rng.random((tests, rows)) < 0.8
    hard = rng.random((tests, rows)) < 0.3
    success = np.where(before, np.where(hard, kept, 1 - changed), changed)
    after: NDArray[np.float64] = (rng.random((4, tests, rows)) < success).mean(axis=0)
    return before, after


@pytest.mark.parametrize("rows", [40, 400])
@pytest.mark.parametrize("changed", [0.0, 0.02, 0.2])
@pytest.mark.parametrize("kept", [0.9, 0.0])
def test_intervals_of_rows_contain_the_truth_in_95_percent_of_tests(
    rows: int, changed: float, kept: float
) -> None:
    before, after = draw_outcomes(np.random.default_rng(0), changed, kept, rows, tests=500)
    accuracy = 0.8 * (0.3 * kept + 0.7 * (1 - changed)) + 0.2 * changed
    single = [wilson(float(each.sum()), rows) for each in after]
    assert np.mean([each.low <= accuracy <= each.high for each in single]) >= 0.94
    paired = [paired_difference(*each) for each in zip(before, after, strict=True)]
    assert np.mean([each.low <= 0.8 - accuracy <= each.high for each in paired]) >= 0.94


def test_paired_difference_of_equal_outcomes_is_zero_but_not_certain() -> None:
    before = np.ones(40, bool)
    found = paired_difference(before, before.astype(float))
    high = wilson(0, 40).high
    assert (found.value, found.low, found.high) == pytest.approx((0, -high, high))


def test_paired_difference_is_that_of_newcombe() -> None:
    """Newcombe 1998, method 8 without gains: the interval of the loss, and of no gain."""
    before, after = np.ones(50, bool), np.r_[np.zeros(5), np.ones(45)]
    lost, gained = wilson(5, 50), wilson(0, 50)
    found = paired_difference(before, after)
    assert found.value == 0.1
    assert found.high == pytest.approx(lost.high)
    assert found.low == pytest.approx(0.1 - np.hypot(0.1 - lost.low, gained.high))


@given(
    st.lists(st.tuples(st.booleans(), st.sampled_from([0, 0.25, 0.5, 0.75, 1])), min_size=1),
)
def test_paired_difference_is_the_difference_of_means_within_its_interval(
    pairs: list[tuple[bool, float]],
) -> None:
    before, after = np.array([pair[0] for pair in pairs]), np.array([pair[1] for pair in pairs])
    found = paired_difference(before, after)
    assert found.value == pytest.approx(before.mean() - after.mean())
    assert -1 <= found.low <= found.value + 1e-12
    assert found.value - 1e-12 <= found.high <= 1
    # Lost and gained change their roles.
    other = paired_difference(~before, 1 - after)
    assert (other.low, other.high) == pytest.approx((-found.high, -found.low))


def test_estimates_without_rows_are_nan() -> None:
    assert all(math.isnan(value) for value in vars(wilson(0, 0)).values())

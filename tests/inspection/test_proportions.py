"""Intervals agree with those of scipy."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from csvision.inspection.proportions import Z, mean_estimate, wilson


@given(st.integers(1, 10_000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_wilson_interval_is_that_of_scipy(counts: tuple[int, int]) -> None:
    successes, total = counts
    expected = stats.binomtest(successes, total).proportion_ci(0.95, "wilson")
    found = wilson(successes, total)
    assert found.value == successes / total
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high), abs=1e-12)
    assert 0 <= found.low <= found.value <= found.high <= 1


@given(st.lists(st.floats(-1, 1), min_size=2, max_size=50))
def test_mean_interval_is_that_of_scipy(values: list[float]) -> None:
    found = mean_estimate(values)
    error = stats.sem(values)
    assert found.value == pytest.approx(np.mean(values), abs=1e-12)
    assert found.high - found.value == pytest.approx(stats.norm.ppf(0.975) * error, abs=1e-12)
    assert found.value - found.low == pytest.approx(Z * error, abs=1e-12)


def test_estimates_without_rows_are_nan() -> None:
    assert all(math.isnan(value) for value in vars(wilson(0, 0)).values())
    assert all(math.isnan(value) for value in vars(mean_estimate([])).values())
    assert mean_estimate([3]).value == 3
    assert math.isnan(mean_estimate([3]).low)

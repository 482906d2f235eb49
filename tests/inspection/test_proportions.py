"""Intervals agree with those of scipy."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import stats

from csvision.inspection.proportions import paired_difference, subtract, wilson


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
    before = np.r_[np.ones(40), np.zeros(40)].astype(bool)
    found = paired_difference(before, before.astype(float))
    high = wilson(0, 80).high
    assert (found.value, found.low, found.high) == pytest.approx((0, -high, high))


@given(st.lists(st.sampled_from([0, 0.25, 0.5, 0.75, 1]), min_size=1, max_size=60))
def test_nothing_is_gained_if_all_rows_were_right(after: list[float]) -> None:
    """The difference is the lost proportion, with the same interval, and not negative."""
    lost = wilson(len(after) - sum(after), len(after))
    found = paired_difference(np.ones(len(after), bool), np.array(after))
    assert (found.value, found.low, found.high) == pytest.approx(
        (lost.value, lost.low, lost.high), abs=1e-12
    )
    assert found.low >= -1e-12


def test_known_loss_of_rows_that_were_all_right() -> None:
    """5 of 50 by binomtest of scipy, and 7 of 160 shifts of 40 rows worked by hand."""
    found = paired_difference(np.ones(50, bool), np.r_[np.zeros(5), np.ones(45)])
    expected = stats.binomtest(5, 50).proportion_ci(0.95, "wilson")
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high))
    # (0.04375 + 0.048018 -+ 1.95996 sqrt(0.04375 * 0.95625 / 40 + 0.00060023)) / 1.0960365
    found = paired_difference(np.ones(40, bool), np.r_[np.full(7, 0.75), np.ones(33)])
    assert (found.value, found.low, found.high) == pytest.approx(
        (0.04375, 0.01117, 0.15628), abs=1e-5
    )


def newcombe(both: int, lost: int, gained: int, neither: int) -> tuple[float, float]:
    """Method 10 of Newcombe (1998) without continuity correction, from the two marginals."""
    rows = both + lost + gained + neither
    before, after = wilson(both + lost, rows), wilson(both + gained, rows)
    margins = (both + lost) * (gained + neither) * (both + gained) * (lost + neither)
    phi = (both * neither - lost * gained) / math.sqrt(margins)
    difference = before.value - after.value
    ends = []
    for sign, one, two in (
        (-1, before.value - before.low, after.high - after.value),
        (1, before.high - before.value, after.value - after.low),
    ):
        ends.append(difference + sign * math.sqrt(one**2 - 2 * phi * one * two + two**2))
    return ends[0], ends[1]


@pytest.mark.parametrize(("both", "lost", "gained"), [(36, 12, 2), (20, 3, 7), (1, 1, 1)])
def test_difference_of_rows_that_are_right_once_is_that_of_newcombe(
    both: int, lost: int, gained: int
) -> None:
    rows = both + lost + gained
    found = subtract(wilson(lost, rows), wilson(gained, rows))
    assert (found.low, found.high) == pytest.approx(newcombe(both, lost, gained, 0))


def test_lost_and_gained_rows_end_at_those_that_can_be_lost_and_gained() -> None:
    """50 rows, 48 of them right: 12 are lost and both others gained, so that 2 at most are."""
    before = np.r_[np.ones(48), np.zeros(2)].astype(bool)
    after = np.r_[np.zeros(12), np.ones(38)]
    found = paired_difference(before, after)
    lost, gained = wilson(12, 50), wilson(2, 50)
    assert found.value == pytest.approx(0.2)
    assert found.low == pytest.approx(0.2 - (lost.value - lost.low))
    assert found.high == subtract(lost, gained).high


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

"""Each figure is computed a second way: by brute force, by a formula, or by simulation."""

from fractions import Fraction
from itertools import product
from math import comb, isclose, sqrt
from statistics import mean, stdev

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy import integrate, stats

from csvision.comparison.statistics import (
    MAX_NEEDED,
    POWER,
    detectable_difference,
    holm,
    mcnemar,
    mean_interval,
    needed_pairs,
    paired_test,
    permutation_p,
    t_test_power,
)

VALUES = st.lists(st.floats(-1, 1).map(lambda value: round(value, 6)), min_size=2, max_size=9)


def t_density(x: float, df: int) -> float:
    """Return the density of Student's distribution up to its constant."""
    return float((1 + x * x / df) ** (-(df + 1) / 2))


def t_tail(x: float, df: int) -> float:
    """Return P(|T| > x) by numerical integration of the density, without scipy.stats."""
    whole = integrate.quad(t_density, 0, np.inf, (df,), epsabs=1e-13)[0]
    inner = integrate.quad(t_density, 0, x, (df,), epsabs=1e-13)[0]
    return float(1 - inner / whole)


@settings(deadline=None)
@given(VALUES)
def test_interval_has_95_percent_of_the_t_distribution(values: list[float]) -> None:
    interval = mean_interval(values)
    assert interval.mean == pytest.approx(mean(values), abs=1e-12)
    assert interval.std == pytest.approx(stdev(values), abs=1e-12)
    assume(stdev(values) > 1e-3)
    assert interval.low is not None
    assert interval.high is not None
    for end in (interval.low, interval.high):
        statistic = abs(end - mean(values)) / (stdev(values) / sqrt(len(values)))
        assert t_tail(statistic, len(values) - 1) == pytest.approx(0.05, abs=1e-6)


def test_single_value_has_no_interval() -> None:
    assert mean_interval([0.5]).std is None
    assert mean_interval([0.5]).low is None
    with pytest.raises(ValueError, match="no values"):
        mean_interval([])


@pytest.mark.slow
@settings(deadline=None)
@given(VALUES)
def test_p_value_of_the_t_test_is_the_integral_of_the_density(values: list[float]) -> None:
    assume(stdev(values) > 1e-3)
    test = paired_test(values)
    assert test is not None
    statistic = abs(mean(values)) / (stdev(values) / sqrt(len(values)))
    assert test.p_t == pytest.approx(t_tail(statistic, len(values) - 1), abs=1e-6)


@pytest.mark.slow
@settings(deadline=None)
@given(VALUES)
def test_p_value_of_the_permutation_test_counts_all_signs(values: list[float]) -> None:
    exact = [Fraction(value) for value in values]
    signs = [*product((1, -1), repeat=len(values))]
    # The first has the signs of the data.
    sums = [
        abs(Fraction(sum(sign * value for sign, value in zip(each, exact, strict=True))))
        for each in signs
    ]
    # Sums that differ by rounding only are equal.
    count = sum(each >= sums[0] - Fraction(1, 10**12) for each in sums)
    assert permutation_p(values) == count / len(signs)


@pytest.mark.slow
def test_permutation_test_of_many_pairs_draws_signs_reproducibly() -> None:
    values = np.random.default_rng(1).normal(0.3, 1, 40).tolist()
    assert permutation_p(values) == permutation_p(values)
    assert permutation_p(values) == pytest.approx(stats.ttest_1samp(values, 0).pvalue, abs=0.02)


def test_equal_values_have_a_mean_and_no_interval() -> None:
    for values in ([0.5, 0.5], [0.0] * 3, [0.1 + 0.2, 0.3]):
        found = mean_interval(values)
        assert found.mean == pytest.approx(values[0])
        assert found.std == pytest.approx(0, abs=1e-15)
        assert (found.low, found.high) == (None, None)


def test_equal_differences_have_no_t_test_and_no_interval() -> None:
    for values, p in (([0.01, 0.01, 0.01], None), ([0.0, 0.0], 1.0), ([0.1 + 0.2, 0.3], None)):
        test = paired_test(values)
        assert test is not None
        assert (test.p_t, test.detectable, test.needed) == (p, None, None)
        assert (test.difference.low, test.difference.high) == (None, None)
    assert paired_test([0.1]) is None
    assert paired_test([]) is None


@settings(deadline=None)
@given(st.lists(st.floats(0, 1), min_size=1, max_size=8))
def test_holm_is_the_step_down_procedure(p_values: list[float]) -> None:
    """A hypothesis has an adjusted p-value of at most a level if Holm rejects it at that level."""
    adjusted = holm(p_values)
    for level in (0.01, 0.05, 0.2, 0.7):
        rejected = set()
        ordered = sorted(range(len(p_values)), key=lambda index: p_values[index])
        for rank, index in enumerate(ordered):
            if (len(p_values) - rank) * p_values[index] > level:
                break
            rejected.add(index)
        assert {index for index, p in enumerate(adjusted) if p <= level} == rejected


def test_holm_of_no_tests_is_empty() -> None:
    assert holm([]) == []


@settings(deadline=None)
@given(st.floats(0.05, 2.5), st.integers(2, 40), st.sampled_from([0.05, 0.01, 0.05 / 6]))
def test_power_is_that_of_the_noncentral_t_distribution(
    effect: float, n: int, level: float
) -> None:
    critical, center = stats.t.isf(level / 2, n - 1), effect * sqrt(n)
    expected = stats.nct.sf(critical, n - 1, center) + stats.nct.cdf(-critical, n - 1, center)
    assume(np.isfinite(expected))
    assert t_test_power(effect, n, level) == pytest.approx(expected, abs=2e-4)


def test_detectable_difference_is_detected_in_80_percent_of_simulated_experiments() -> None:
    n, std, trials = 5, 0.02, 40_000
    difference = detectable_difference(std, n, 0.05)
    samples = np.random.default_rng(0).normal(difference, std, (trials, n))
    detected = (stats.ttest_1samp(samples, 0, axis=1).pvalue < 0.05).mean()
    assert detected == pytest.approx(POWER, abs=4 * sqrt(POWER * (1 - POWER) / trials))


@settings(max_examples=40, deadline=None)
@given(st.floats(0.06, 20), st.sampled_from([0.05, 0.01]))
def test_needed_pairs_is_the_smallest_number_with_enough_power(effect: float, level: float) -> None:
    needed = needed_pairs(effect, level)
    assert needed is not None
    if needed <= 1000:
        assert t_test_power(effect, needed, level) >= POWER
        assert needed == 2 or t_test_power(effect, needed - 1, level) < POWER
    else:
        assert t_test_power(effect, needed, level) == pytest.approx(POWER, abs=0.002)


def test_tiny_effects_need_too_many_pairs() -> None:
    assert needed_pairs(0.0, 0.05) is None
    assert needed_pairs(1e-9, 0.05) is None
    needed = needed_pairs(0.01, 0.05)
    assert needed is not None
    assert needed < MAX_NEEDED


@settings(deadline=None)
@given(st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1, max_size=40))
def test_mcnemar_is_the_binomial_test_of_the_discordant_rows(
    pairs: list[tuple[bool, bool]],
) -> None:
    first, second = zip(*pairs, strict=True)
    test = mcnemar(first, second)
    b = sum(one and not two for one, two in pairs)
    c = sum(two and not one for one, two in pairs)
    assert (test.rows, test.only_first, test.only_second) == (len(pairs), b, c)
    # Twice the smaller tail of the binomial distribution with probability 1/2.
    tail = Fraction(sum(comb(b + c, k) for k in range(min(b, c) + 1)), 2 ** (b + c))
    assert isclose(test.p, min(1.0, float(2 * tail)), rel_tol=1e-9)
    assert test.difference == pytest.approx(mean(first) - mean(second))
    # Wald's interval of the table with 1/2 added to each of its cells.
    table = [(True, True), (True, False), (False, True), (False, False)]
    cells = {cell: pairs.count(cell) + 0.5 for cell in table}
    total = sum(cells.values())
    p10, p01 = cells[True, False] / total, cells[False, True] / total
    half = 1.959963984540054 * sqrt((p10 + p01 - (p10 - p01) ** 2) / total)
    assert test.low == pytest.approx(max(-1, p10 - p01 - half))
    assert test.high == pytest.approx(min(1, p10 - p01 + half))


def test_mcnemar_needs_the_same_rows() -> None:
    for first, second in (([], []), ([True], [True, False])):
        with pytest.raises(ValueError, match="same rows"):
            mcnemar(first, second)

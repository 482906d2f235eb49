"""Intervals, paired tests, their correction and their power.

All tests are two-sided; intervals have CONFIDENCE. Functions on data take plain numbers.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import ceil, inf, sqrt

import numpy as np
from numpy.typing import NDArray
from scipy import optimize, special, stats

CONFIDENCE = 0.95

POWER = 0.8
"""The probability with which a test shall detect a difference."""

MAX_PERMUTATIONS = 2**16
"""Sign changes that are all tried; of more, so many are drawn."""

NODES = 400
"""Points of the numerical integration of the power."""

MAX_NEEDED = 100_000
"""The largest number of runs that is worth computing."""


@dataclass(frozen=True)
class MeanInterval:
    """The mean of n values, their standard deviation, and Student's interval of the mean.

    The last three are None for a single value, the last two also for equal values, whose spread is
    not known.
    """

    n: int
    mean: float
    std: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True)
class PairedTest:
    """The mean of paired differences with its tests; p-values are not corrected.

    Equal differences have no interval; `p_t` is None if they are not zero. `detectable` is the
    smallest difference that the t-test detects with POWER, and `needed` the number of pairs with
    which it would detect the mean difference; None if there is none below MAX_NEEDED.
    """

    difference: MeanInterval
    p_t: float | None
    p_permutation: float
    detectable: float | None
    needed: int | None


@dataclass(frozen=True)
class McNemarTest:
    """The rows that only one of two classifiers predicts correctly, and McNemar's exact test.

    `difference` is that of the accuracies, with the interval of Agresti and Min.
    """

    rows: int
    only_first: int
    only_second: int
    difference: float
    low: float
    high: float
    p: float


def mean_interval(
    values: Sequence[float], bounds: tuple[float, float] = (-inf, inf)
) -> MeanInterval:
    """Return the mean of values with its interval; raises ValueError without values.

    The ends of the interval are clipped to `bounds`, the range of the values.
    """
    if not len(values):
        raise ValueError("the mean of no values")
    n, mean = len(values), float(np.mean(values))
    if n == 1:
        return MeanInterval(n, mean, None, None, None)
    std = float(np.std(values, ddof=1))
    if negligible(std, values):
        return MeanInterval(n, mean, std, None, None)
    half = float(stats.t.ppf((1 + CONFIDENCE) / 2, n - 1)) * std / sqrt(n)
    return MeanInterval(n, mean, std, max(mean - half, bounds[0]), min(mean + half, bounds[1]))


def paired_test(
    differences: Sequence[float],
    comparisons: int = 1,
    bounds: tuple[float, float] = (-inf, inf),
) -> PairedTest | None:
    """Test whether the mean of paired differences is zero; None for fewer than two pairs.

    The interval is clipped to `bounds`, the range of the differences.

    Power is that at the level of the first of `comparisons` tests that Holm's correction rejects.
    """
    n = len(differences)
    if n < 2:
        return None
    interval = mean_interval(differences, bounds)
    assert interval.std is not None
    level = (1 - CONFIDENCE) / comparisons
    if negligible(interval.std, differences):
        p_t = None if any(differences) else 1.0
        return PairedTest(interval, p_t, permutation_p(differences), None, None)
    statistic = interval.mean / (interval.std / sqrt(n))
    p_t = float(2 * stats.t.sf(abs(statistic), n - 1))
    return PairedTest(
        interval,
        p_t,
        permutation_p(differences),
        detectable_difference(interval.std, n, level),
        needed_pairs(abs(interval.mean) / interval.std, level),
    )


def negligible(value: float, values: Sequence[float]) -> bool:
    """Return whether a value is zero but for rounding errors of `values`."""
    return abs(value) <= 1e-12 * max(map(abs, values), default=0.0)


def permutation_p(differences: Sequence[float]) -> float:
    """Return the p-value of the sign-flip test: exact, or of MAX_PERMUTATIONS drawn with seed 0.

    Under the null hypothesis, each difference has either sign with equal probability.
    """
    values = np.asarray(differences, dtype=float)
    result = stats.permutation_test(
        (values,),
        lambda sample, axis: np.abs(sample.mean(axis)),
        permutation_type="samples",
        n_resamples=MAX_PERMUTATIONS,
        alternative="greater",
        vectorized=True,
        rng=np.random.default_rng(0),
    )
    return float(result.pvalue)


def holm(p_values: Sequence[float]) -> list[float]:
    """Return Holm's adjusted p-values (Holm 1979), in the order of the tests."""
    adjusted, largest = [0.0] * len(p_values), 0.0
    for rank, index in enumerate(np.argsort(p_values, kind="stable")):
        largest = max(largest, min(1.0, (len(p_values) - rank) * p_values[index]))
        adjusted[index] = largest
    return adjusted


def t_test_power(effect: float, n: int, level: float) -> float:
    """Return the power of the paired t-test for a mean of `effect` standard deviations.

    It is the mean of the power for a known standard deviation over the distribution of the
    estimated one; scipy's noncentral t distribution is NaN for large effects.
    """
    ratios, weights = std_ratios(n - 1)
    critical = float(stats.t.isf(level / 2, n - 1)) * ratios
    center = effect * sqrt(n)
    detected = special.ndtr(center - critical) + special.ndtr(-center - critical)
    return float(weights @ detected)


@lru_cache(maxsize=1024)
def std_ratios(df: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return ratios of the estimated to the true standard deviation, and their probabilities."""
    nodes, weights = np.polynomial.legendre.leggauss(NODES)
    quantiles = stats.chi2.ppf((nodes + 1) / 2, df)
    return np.sqrt(quantiles / df), weights / 2


def detectable_difference(std: float, n: int, level: float) -> float:
    """Return the smallest mean difference that the paired t-test detects with POWER."""
    high = 1.0
    while t_test_power(high, n, level) < POWER:
        high *= 2
    effect = optimize.brentq(lambda value: t_test_power(value, n, level) - POWER, 0, high)
    return float(effect * std)


def needed_pairs(effect: float, level: float) -> int | None:
    """Return the number of pairs with which a mean of `effect` stds is detected with POWER."""
    # The normal approximation, which is slightly too small.
    total = float(stats.norm.isf(level / 2) + stats.norm.isf(1 - POWER))
    if effect * sqrt(MAX_NEEDED) < total:
        return None
    n = max(2, ceil((total / effect) ** 2))
    while n <= 1000 and t_test_power(effect, n, level) < POWER:
        n += 1
    return n


def mcnemar(first: Sequence[bool], second: Sequence[bool]) -> McNemarTest:
    """Compare which rows two classifiers predict correctly; raises ValueError without rows.

    The interval is that of Agresti and Min (2005): Wald's after adding 1/2 to each of the four
    counts.
    """
    one, two = np.asarray(first, dtype=bool), np.asarray(second, dtype=bool)
    if not one.size or one.shape != two.shape:
        raise ValueError("both classifiers need predictions of the same rows")
    rows, b, c = len(one), int(np.sum(one & ~two)), int(np.sum(~one & two))
    p = float(stats.binomtest(b, b + c, 0.5).pvalue) if b + c else 1.0
    total, difference = rows + 2, (b - c) / (rows + 2)
    variance = (b + c + 1) / total - difference**2
    half = float(stats.norm.isf((1 - CONFIDENCE) / 2)) * sqrt(max(variance, 0.0) / total)
    low, high = max(-1.0, difference - half), min(1.0, difference + half)
    return McNemarTest(rows, b, c, (b - c) / rows, low, high, p)

"""Intervals of proportions and of their differences.

N is the number of rows. A row has one outcome, or several that are not independent, such as those
of an image shifted in four directions; then, it counts once, with the mean of its outcomes.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

Z = 1.959963984540054
"""The 97.5 % quantile of the standard normal distribution, for 95 % intervals."""


@dataclass(frozen=True)
class Estimate:
    """A proportion or a difference with its 95 % interval; NaN if there are no rows."""

    value: float
    low: float
    high: float


def wilson(successes: float, total: int) -> Estimate:
    """Return a proportion with its Wilson score interval (Wilson 1927); NaN for `total=0`.

    `successes` is the sum of the outcomes of the rows, each between 0 and 1. The variance of an
    outcome with mean p is at most p (1 - p), that of an outcome of 0 or 1. For outcomes in between,
    the interval is therefore wider than necessary, also if only few of them are not 0 or not 1.
    """
    if total == 0:
        return Estimate(np.nan, np.nan, np.nan)
    p = successes / total
    scale = 1 + Z**2 / total
    center = (p + Z**2 / (2 * total)) / scale
    half = Z * np.sqrt(p * (1 - p) / total + Z**2 / (4 * total**2)) / scale
    # Rounding must not exclude the proportion itself.
    low, high = max(0.0, min(center - half, p)), min(1.0, max(center + half, p))
    return Estimate(p, float(low), float(high))


def subtract(lost: Estimate, gained: Estimate) -> Estimate:
    """Return the proportion of lost rows minus that of gained ones; no row is both.

    The intervals are combined by the method of variance estimates recovery (Zou and Donner 2008),
    with the correlation of two such outcomes of a row. It is method 10 of Newcombe (1998, paired
    data) if no row is wrong before and after.
    """
    value = lost.value - gained.value
    odds = (1 - lost.value) * (1 - gained.value)
    correlation = -np.sqrt(lost.value * gained.value / odds) if odds > 0 else 0.0
    below = lost.value - lost.low, gained.high - gained.value
    above = lost.high - lost.value, gained.value - gained.low
    low, high = (
        np.sqrt(one**2 + other**2 - 2 * correlation * one * other) for one, other in (below, above)
    )
    return Estimate(value, float(max(-1.0, value - low)), float(min(1.0, value + high)))


def paired_difference(before: NDArray[np.bool_], after: NDArray[np.float64]) -> Estimate:
    """Return the mean of `before` minus that of `after`, two outcomes of the same rows (N,).

    `after` is between 0 and 1. The difference is the proportion of what is lost minus that of what
    is gained, with the interval of `subtract` for their Wilson intervals. Only a row with the
    outcome `before` can lose it, and only another one can gain it: the two intervals end at the
    proportions of these rows, so that the result is for tests with as many of them. If all rows
    have the outcome `before`, it is the Wilson interval of the lost proportion.
    """
    total = len(before)
    right = float(np.mean(before)) if total else np.nan
    lost = wilson(float(np.where(before, 1 - after, 0).sum()), total)
    gained = wilson(float(np.where(before, 0, after).sum()), total)
    return subtract(limit(lost, right), limit(gained, 1 - right))


def limit(estimate: Estimate, largest: float) -> Estimate:
    """Return an estimate whose interval ends at the largest possible value."""
    # Rounding must not exclude the estimate itself.
    return replace(estimate, high=max(estimate.value, min(estimate.high, largest)))

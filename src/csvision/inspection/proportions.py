"""Intervals of proportions and means.

N is the number of rows.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

Z = 1.959963984540054
"""The 97.5 % quantile of the standard normal distribution, for 95 % intervals."""


@dataclass(frozen=True)
class Estimate:
    """A proportion or a mean with its 95 % interval; NaN if there are no rows."""

    value: float
    low: float
    high: float


def wilson(successes: int, total: int) -> Estimate:
    """Return a proportion with its Wilson score interval (Wilson 1927); NaN for `total=0`."""
    if total == 0:
        return Estimate(np.nan, np.nan, np.nan)
    p = successes / total
    scale = 1 + Z**2 / total
    center = (p + Z**2 / (2 * total)) / scale
    half = Z * np.sqrt(p * (1 - p) / total + Z**2 / (4 * total**2)) / scale
    # Rounding must not exclude the proportion itself.
    low, high = max(0.0, min(center - half, p)), min(1.0, max(center + half, p))
    return Estimate(p, float(low), float(high))


def mean_estimate(values: ArrayLike) -> Estimate:
    """Return the mean of values (N,) with its interval by the normal approximation.

    With fewer than two values, the interval is not known (NaN).
    """
    array = np.asarray(values, dtype=np.float64)
    if array.size == 0:
        return Estimate(np.nan, np.nan, np.nan)
    mean = float(array.mean())
    if array.size == 1:
        return Estimate(mean, np.nan, np.nan)
    half = Z * float(array.std(ddof=1)) / np.sqrt(array.size)
    return Estimate(mean, mean - half, mean + half)

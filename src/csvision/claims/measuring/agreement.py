"""Two arrays that ought to be the same, as one case of an exact statement."""

import numpy as np
from numpy.typing import ArrayLike

from csvision.claims.rules import Comparison


def difference_of(one: ArrayLike, other: ArrayLike) -> tuple[float, float]:
    """The largest size of a value in either of two arrays, and their largest difference."""
    first, second = np.asarray(one), np.asarray(other)
    largest = max(np.abs(first).max(), np.abs(second).max())
    return float(largest), float(np.abs(first - second).max())


def alike(case: str, largest: float, difference: float) -> Comparison:
    """No difference, measured by the largest size of the values."""
    return Comparison(f"{case}: largest difference", 0.0, difference, largest)

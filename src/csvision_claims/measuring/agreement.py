"""The agreement of two arrays as one case of an exact statement."""

import numpy as np
from numpy.typing import ArrayLike

from csvision_claims.engine.rules import Comparison


def compare_arrays(one: ArrayLike, other: ArrayLike) -> tuple[float, float]:
    """Return the largest absolute value in both arrays and their largest absolute difference."""
    first, second = np.asarray(one), np.asarray(other)
    largest = max(np.abs(first).max(), np.abs(second).max())
    return float(largest), float(np.abs(first - second).max())


def agreement_case(case: str, largest: float, difference: float) -> Comparison:
    """Return the case that claims a difference of 0, compared relative to the largest value."""
    return Comparison(f"{case}: largest difference", 0.0, difference, largest)

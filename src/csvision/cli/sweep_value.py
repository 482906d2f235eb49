"""The value of a job for a sweeper of Hydra that searches for the best one."""

from math import inf
from typing import Any


def worst_value(sweeper: Any) -> float:
    """Return the value of a failed job.

    Hydra's Optuna sweeper stops at an exception and at NaN.
    """
    return -inf if str(sweeper.get("direction", "")).endswith("maximize") else inf

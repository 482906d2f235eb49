"""What the name of a metric says: its direction, its range, and its split."""

from collections.abc import Sequence
from math import inf
from typing import Literal

from csvision.comparison.record import RunRecord
from csvision.config.monitor import SCORES
from csvision.errors import ConfigError

Mode = Literal["min", "max"]
"""Whether smaller or larger values are better, as metric.mode."""

Bounds = tuple[float, float]

UNBOUNDED: Bounds = (-inf, inf)


def metric_mode(metric: str, runs: Sequence[RunRecord]) -> Mode:
    """Return whether smaller or larger values are better; metric.mode decides for a custom metric.

    Raises ConfigError if the runs have the custom metric with both values of metric.mode.
    """
    name = metric.partition("/")[2]
    if name == "loss":
        return "min"
    modes = {
        str(run.get("metric.mode"))
        for run in runs
        if str(run.get("metric.path") or "").rpartition(":")[2] == name
    }
    if {"min", "max"} <= modes:
        raise ConfigError(
            f"metric={metric}: some runs have metric.mode=min and some metric.mode=max; compare "
            "them separately"
        )
    return "min" if "min" in modes else "max"


def metric_bounds(metric: str) -> Bounds:
    """Return the least and the greatest value that a metric can have.

    Scores are fractions; val/loss and test/loss are cross-entropies, train/loss may be any loss.
    """
    split, _, name = metric.partition("/")
    if name in SCORES:
        return 0.0, 1.0
    return (0.0, inf) if name == "loss" and split in ("val", "test") else UNBOUNDED


def difference_bounds(metric: str) -> Bounds:
    """Return the least and the greatest difference of two values of a metric."""
    low, high = metric_bounds(metric)
    return low - high, high - low


def is_fraction(metric: str) -> bool:
    """Return whether a metric is a score from 0 to 1, whose differences are shown in points."""
    return metric_bounds(metric) == (0.0, 1.0)


def is_test(metric: str) -> bool:
    """Return whether a metric is one of the test rows."""
    return metric.startswith("test/")

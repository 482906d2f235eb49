"""Figures of arms that were trained under the same seeds."""

from collections.abc import Mapping, Sequence
from statistics import fmean, stdev

from csvision.claims.arms import Arm, rate_of
from csvision.claims.charts import Series
from csvision.claims.rules import interval
from csvision.claims.training import Scores

POINTS = 100
"""Points of accuracy in an accuracy of 1."""


def differences(
    first: Sequence[Scores], second: Sequence[Scores], metric: str, scale: float = POINTS
) -> list[float]:
    """By how much the first arm's metric is above the second's, seed by seed."""
    return [scale * (one[metric] - two[metric]) for one, two in zip(first, second, strict=True)]


def mean_of(runs: Sequence[Scores], metric: str) -> float:
    """The mean of a metric over seeds."""
    return fmean(run[metric] for run in runs)


def band(
    name: str, x: Sequence[float], values: Sequence[Sequence[float]], dashed: bool = False
) -> Series:
    """A line through the means of the seeds' values at each x, with their 95 % intervals."""
    mean, low, high = map(list, zip(*map(interval, values), strict=True))
    if len(values[0]) < 2:
        low, high = [], []
    return Series(name, list(x), mean, low, high, dashed)


def score_table(
    arms: Sequence[Arm],
    runs: Mapping[str, Sequence[Scores]],
    accuracies: Mapping[str, str],
) -> list[dict[str, str | float]]:
    """A row for each arm: its learning rate, mean and standard deviation of accuracies in %.

    `accuracies` are metrics with the words for them; an arm may lack one.
    """
    rows: list[dict[str, str | float]] = []
    for arm in arms:
        row: dict[str, str | float] = {"arm": arm.name, "learning rate": rate_of(arm)}
        for metric, words in accuracies.items():
            values = [POINTS * run[metric] for run in runs[arm.name] if metric in run]
            row[f"{words}, %"] = fmean(values) if values else ""
            row[f"{words}, deviation"] = stdev(values) if len(values) > 1 else ""
        rows.append(row)
    return rows

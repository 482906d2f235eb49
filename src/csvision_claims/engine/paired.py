"""Statistics of arms that were trained with the same seeds."""

from collections.abc import Mapping, Sequence
from statistics import fmean, stdev

from csvision_claims.engine.arms import Arm, get_lr
from csvision_claims.engine.charts import Series
from csvision_claims.engine.rules import t_interval
from csvision_claims.engine.training import Metrics

POINTS = 100
"""Percentage points in an accuracy of 1."""


def paired_differences(
    first: Sequence[Metrics], second: Sequence[Metrics], metric: str, scale: float = POINTS
) -> list[float]:
    """Return, seed by seed, how much larger a metric is in the first arm than in the second."""
    return [scale * (one[metric] - two[metric]) for one, two in zip(first, second, strict=True)]


def mean_ci_series(
    name: str, x: Sequence[float], values: Sequence[Sequence[float]], dashed: bool = False
) -> Series:
    """Return the line of means over seeds with 95 % intervals; `values` has one list per x."""
    mean, low, high = map(list, zip(*map(t_interval, values), strict=True))
    if len(values[0]) < 2:
        low, high = [], []
    return Series(name, list(x), mean, low, high, dashed)


def accuracy_table(
    arms: Sequence[Arm],
    runs: Mapping[str, Sequence[Metrics]],
    accuracies: Mapping[str, str],
) -> list[dict[str, str | float]]:
    """Return a row for each arm: learning rate, mean and std of accuracies in %.

    `accuracies` maps metrics to column names; cells of a metric that an arm lacks are empty.
    """
    rows: list[dict[str, str | float]] = []
    for arm in arms:
        row: dict[str, str | float] = {"arm": arm.name, "learning rate": get_lr(arm)}
        for metric, column in accuracies.items():
            values = [POINTS * run[metric] for run in runs[arm.name] if metric in run]
            row[f"{column}, %"] = fmean(values) if values else ""
            row[f"{column}, std"] = stdev(values) if len(values) > 1 else ""
        rows.append(row)
    return rows


def column_by_arm(table: Sequence[Mapping[str, str | float]], column: str) -> dict[str, float]:
    """Return the numbers in a column of `accuracy_table` by the name of the arm."""
    return {str(row["arm"]): float(row[column]) for row in table if row[column] != ""}

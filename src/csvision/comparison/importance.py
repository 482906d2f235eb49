"""How much of the variation of a metric each key explains."""

from collections.abc import Mapping, Sequence
from math import log10

import numpy as np

BINS = 5
"""Groups of a key with many numbers."""

Cell = float | str
"""A value of a key: a number, or the text of another value."""


def to_cell(text: str) -> Cell:
    """Return a value as a number if it is one."""
    try:
        number = float(text)
    except ValueError:
        return text
    return number if np.isfinite(number) else text


def key_importance(rows: Sequence[Mapping[str, Cell]], values: Sequence[float]) -> dict[str, float]:
    """Return the fraction of the variance of `values` that each key alone explains.

    It is the correlation ratio (eta squared) of a one-way analysis of variance; numbers with more
    than BINS different values are grouped into BINS quantiles. Empty if all values are equal.
    """
    result = np.asarray(values, dtype=float)
    total = float(((result - result.mean()) ** 2).sum()) if len(result) else 0.0
    if total == 0:
        return {}
    keys = dict.fromkeys(key for row in rows for key in row)
    found = {}
    for key in keys:
        groups = group_values([row.get(key, "") for row in rows])
        means = {group: result[groups == group].mean() for group in set(groups.tolist())}
        counts = {group: int((groups == group).sum()) for group in means}
        between = sum(counts[group] * (mean - result.mean()) ** 2 for group, mean in means.items())
        found[key] = float(between) / total
    return dict(sorted(found.items(), key=lambda item: -item[1]))


def group_values(cells: Sequence[Cell]) -> "np.ndarray[tuple[int], np.dtype[np.int64]]":
    """Return the number of the group of each value (N,)."""
    distinct = sorted(set(cells), key=str)
    if len(distinct) > BINS and all(isinstance(cell, float) for cell in cells):
        numbers = np.array([float(cell) for cell in cells])
        edges = np.quantile(numbers, np.linspace(0, 1, BINS + 1)[1:-1])
        return np.searchsorted(edges, numbers, side="right").astype(np.int64)
    places = {cell: place for place, cell in enumerate(distinct)}
    return np.array([places[cell] for cell in cells], dtype=np.int64)


def scale(cells: Sequence[Cell]) -> list[float]:
    """Return the place of each value on an axis from 0 to 1.

    Positive numbers of several magnitudes are scaled by their logarithm; texts are spread evenly.
    """
    if not all(isinstance(cell, float) for cell in cells):
        distinct = sorted(set(cells), key=str)
        last = max(1, len(distinct) - 1)
        return [distinct.index(cell) / last for cell in cells]
    numbers = [float(cell) for cell in cells]
    if min(numbers) > 0 and max(numbers) > 20 * min(numbers):
        numbers = [log10(number) for number in numbers]
    low, span = min(numbers), (max(numbers) - min(numbers)) or 1.0
    return [(number - low) / span for number in numbers]

"""The confusion matrix of a few classes, for a table.

K is the number of classes.
"""

from dataclasses import dataclass
from math import ceil

from csvision.evaluation import EvalResult

MAX_CLASSES = 20
"""Classes of a matrix that can be read on a page."""

SHADES = 4
"""Steps of the color of a cell, without that of 0."""


@dataclass(frozen=True)
class MatrixCell:
    """The number of rows of one class that are predicted as another one or as the same.

    `shade` is the step of its color, 0 for no rows.
    """

    count: int
    shade: int
    correct: bool


def small_matrix(result: EvalResult) -> list[list[int]] | None:
    """Return the counts (K, K), one row per true class; None for more than MAX_CLASSES."""
    if len(result.subset.table.classes) > MAX_CLASSES:
        return None
    counts: list[list[int]] = result.confusion_matrix.tolist()
    return counts


def matrix_cells(counts: list[list[int]]) -> list[list[MatrixCell]]:
    """Return the cells of a matrix; their color is the share of the rows of the true class."""
    return [
        [
            MatrixCell(count, ceil(SHADES * count / (sum(row) or 1)), index == column)
            for column, count in enumerate(row)
        ]
        for index, row in enumerate(counts)
    ]

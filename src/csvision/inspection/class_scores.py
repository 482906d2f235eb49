"""Precision and recall of each class, and the pairs of classes that are confused most.

K is the number of classes.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from csvision.evaluation import EvalResult
from csvision.inspection.proportions import Estimate, wilson

EXAMPLES = 4
"""Examples of each confused pair in each direction."""


@dataclass(frozen=True)
class ClassScores:
    """Precision and recall of a class with 95 % Wilson intervals; NaN without rows."""

    name: str
    rows: int
    predicted: int
    correct: int
    precision: Estimate
    recall: Estimate
    f1: float


@dataclass(frozen=True)
class Confusion:
    """The errors between two classes, in both directions.

    `first_as_second` counts rows of the first class that are predicted as the second one.
    `rate` is the fraction of the rows of both classes that are such errors. `examples` are
    positions in the test rows, most confident errors first.
    """

    first: str
    second: str
    first_as_second: int
    second_as_first: int
    rate: Estimate
    examples: list[int]


def score_classes(counts: NDArray[np.int64], classes: list[str]) -> list[ClassScores]:
    """Return the scores of each class from counts (K, K), one row per true class."""
    scores = []
    for index, name in enumerate(classes):
        correct, rows, predicted = counts[index, index], counts[index].sum(), counts[:, index].sum()
        total = rows + predicted
        scores.append(
            ClassScores(
                name,
                int(rows),
                int(predicted),
                int(correct),
                wilson(int(correct), int(predicted)),
                wilson(int(correct), int(rows)),
                float(2 * correct / total) if total else np.nan,
            )
        )
    return scores


def find_confusions(result: EvalResult, limit: int = 6) -> list[Confusion]:
    """Return the pairs of classes with the most errors between them, at most `limit`."""
    counts = result.confusion_matrix
    classes = result.subset.table.classes
    errors = np.triu(counts + counts.T, k=1)
    # Stable: of pairs with equal numbers of errors, the first classes come first.
    order = np.argsort(-errors, axis=None, kind="stable")[:limit]
    confusions = []
    for first, second in zip(*np.unravel_index(order, errors.shape), strict=True):
        if not errors[first, second]:
            break
        rows = int(counts[first].sum() + counts[second].sum())
        confusions.append(
            Confusion(
                classes[first],
                classes[second],
                int(counts[first, second]),
                int(counts[second, first]),
                wilson(int(errors[first, second]), rows),
                [
                    *find_examples(result, first, second),
                    *find_examples(result, second, first),
                ],
            )
        )
    return confusions


def find_examples(result: EvalResult, label: int, prediction: int) -> list[int]:
    """Return the positions of the most confident errors of one kind."""
    found = np.flatnonzero((result.subset.labels == label) & (result.predictions == prediction))
    confidence = result.probabilities[found, prediction]
    order = np.argsort(-confidence, kind="stable")[:EXAMPLES]
    return [int(position) for position in found[order]]

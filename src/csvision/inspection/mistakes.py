"""Find the most confident mistakes, and choose rows to show.

Positions are indices into the test rows.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from csvision.data.splits import Subset
from csvision.errors import ConfigError
from csvision.evaluation import EvalResult

SMALLEST = float(np.finfo(np.float32).tiny)
"""Probabilities below this value count as this value, so that losses are finite."""


@dataclass(frozen=True)
class Prediction:
    """A test row with its label, its prediction and the loss -log p(label) in nats.

    `row` is the row in the source file from 0, `id` what the file calls it.
    """

    position: int
    row: int
    id: str | None
    label: str
    prediction: str
    p_label: float
    p_prediction: float
    loss: float

    @property
    def correct(self) -> bool:
        """Whether the prediction is the label."""
        return self.label == self.prediction


def describe_prediction(result: EvalResult, position: int) -> Prediction:
    """Return label, prediction and loss of a test row."""
    subset = result.subset
    table = subset.table
    row = int(subset.indices[position])
    label, prediction = int(subset.labels[position]), int(result.predictions[position])
    p_label = float(result.probabilities[position, label])
    return Prediction(
        position,
        row,
        None if table.ids is None else str(table.ids[row]),
        table.classes[label],
        table.classes[prediction],
        p_label,
        float(result.probabilities[position, prediction]),
        float(-np.log(max(p_label, SMALLEST))),
    )


def confidences(result: EvalResult) -> NDArray[np.float64]:
    """Return the probability of the predicted class of each row (N,)."""
    rows = np.arange(len(result.predictions))
    values: NDArray[np.float64] = result.probabilities[rows, result.predictions].astype(np.float64)
    return values


def correctness(result: EvalResult) -> NDArray[np.bool_]:
    """Return whether the prediction of each row is right (N,)."""
    correct: NDArray[np.bool_] = result.predictions == result.subset.labels
    return correct


def find_mistakes(result: EvalResult, limit: int = 24) -> list[Prediction]:
    """Return the mistakes with the highest confidence, at most `limit`."""
    wrong = np.flatnonzero(~correctness(result))
    order = np.argsort(-confidences(result)[wrong], kind="stable")[:limit]
    return [describe_prediction(result, int(position)) for position in wrong[order]]


def find_largest_loss(result: EvalResult) -> Prediction | None:
    """Return the mistake with the largest loss, the smallest probability of its label.

    It need not be the one with the highest confidence. Of equal losses, it is the one with the
    higher confidence; None without mistakes.
    """
    wrong = np.flatnonzero(~correctness(result))
    if not len(wrong):
        return None
    p_label = result.probabilities[wrong, result.subset.labels[wrong]]
    order = np.lexsort((-confidences(result)[wrong], np.maximum(p_label, SMALLEST)))
    return describe_prediction(result, int(wrong[order[0]]))


def choose_rows(result: EvalResult, count: int = 6) -> list[int]:
    """Return positions of rows to show: half of them right, half wrong, of different classes.

    Of each kind, rows are taken from high to low confidence in equal steps; if there are too few of
    one kind, more of the other are taken.
    """
    correct = correctness(result)
    right, wrong = np.flatnonzero(correct), np.flatnonzero(~correct)
    wrong_count = min(len(wrong), max(count // 2, count - len(right)))
    return [
        *spread(result, right, min(len(right), count - wrong_count)),
        *spread(result, wrong, wrong_count),
    ]


def spread(result: EvalResult, positions: NDArray[np.int64], count: int) -> list[int]:
    """Return `count` positions from high to low confidence, with different labels if possible."""
    confidence = confidences(result)[positions]
    ordered = positions[np.argsort(-confidence, kind="stable")]
    labels = result.subset.labels
    chosen: list[int] = []
    for part in np.array_split(ordered, count) if count else []:
        used = labels[chosen]
        others = part[~np.isin(labels[part], used)]
        chosen.append(int(others[0] if len(others) else part[0]))
    return chosen


def find_positions(subset: Subset, rows: list[int]) -> list[int]:
    """Return the positions of source rows among the test rows.

    Raises ConfigError for a row that is no test row of the run.
    """
    positions = {int(row): position for position, row in enumerate(subset.indices)}
    errors = [
        f"rows: row {row} of the file is not a test row of the run; the column row in "
        f"predictions.csv of the run lists its test rows, such as {subset.indices[0]}"
        for row in rows
        if row not in positions
    ]
    if errors:
        raise ConfigError(errors)
    return [positions[row] for row in dict.fromkeys(rows)]

"""Find test rows whose label may be wrong, by confident learning.

Northcutt, Jiang and Chuang, "Confident Learning: Estimating Uncertainty in Dataset Labels" (2021).
The network has not been trained on the test rows, as the method requires.
Shapes: N rows, K classes.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from csvision.evaluation import EvalResult
from csvision.inspection.mistakes import Prediction, describe_prediction


@dataclass(frozen=True)
class SuspectedLabel:
    """A test row whose label may be wrong.

    `suggestion` is the class that is confidently predicted instead; `margin` is its probability
    minus that of the label.
    """

    prediction: Prediction
    suggestion: str
    margin: float


@dataclass(frozen=True)
class LabelErrors:
    """All suspected label errors, largest margin first, and the threshold of each class (K,).

    The threshold of a class without rows is NaN.
    """

    suspected: list[SuspectedLabel]
    thresholds: list[float]


def find_label_errors(result: EvalResult) -> LabelErrors:
    """Return the test rows whose label may be wrong.

    The threshold of a class is the mean probability of the class over the rows with this label. A
    row is suspected if, of the classes whose probability reaches their threshold, the most probable
    one is not its label.
    """
    labels = result.subset.labels
    probabilities = result.probabilities.astype(np.float64)
    thresholds = class_thresholds(probabilities, labels)
    suggestions = confident_classes(probabilities, thresholds)
    suspected = np.flatnonzero((suggestions >= 0) & (suggestions != labels))
    margins = (
        probabilities[suspected, suggestions[suspected]]
        - probabilities[suspected, labels[suspected]]
    )
    classes = result.subset.table.classes
    found = [
        SuspectedLabel(
            describe_prediction(result, int(suspected[index])),
            classes[suggestions[suspected[index]]],
            float(margins[index]),
        )
        for index in np.argsort(-margins, kind="stable")
    ]
    return LabelErrors(found, thresholds.tolist())


def class_thresholds(
    probabilities: NDArray[np.float64], labels: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Return the mean probability of each class over the rows with this label (K,)."""
    count = probabilities.shape[1]
    sums = np.bincount(labels, probabilities[np.arange(len(labels)), labels], count)
    with np.errstate(invalid="ignore"):
        means: NDArray[np.float64] = sums / np.bincount(labels, minlength=count)
    return means


def confident_classes(
    probabilities: NDArray[np.float64], thresholds: NDArray[np.float64]
) -> NDArray[np.int64]:
    """Return the most probable class that reaches its threshold, -1 if none does, (N,)."""
    # A comparison with NaN, the threshold of a class without rows, is false.
    reached = np.where(probabilities >= thresholds, probabilities, -1.0)
    classes: NDArray[np.int64] = np.where(reached.max(axis=1) >= 0, reached.argmax(axis=1), -1)
    return classes

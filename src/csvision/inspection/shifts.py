"""Shift images by some pixels and count the predictions that change.

Shapes: B images per batch, C channels, H height, W width.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from csvision.evaluation import EvalResult
from csvision.inspection.applicable import NotApplicable
from csvision.inspection.proportions import Estimate, paired_difference, wilson

MAX_DISTANCE = 4

MAX_ROWS = 2000
"""Test rows that are shifted: all, or this number of them in equal steps."""

DIRECTIONS = {"left": (0, -1), "right": (0, 1), "up": (-1, 0), "down": (1, 0)}
"""Rows and columns of a shift by one pixel."""

EXAMPLE_DISTANCE = 2


@dataclass(frozen=True)
class Shift:
    """Accuracy, and the fraction of changed predictions, of images shifted in one direction."""

    distance: int
    direction: str
    changed: Estimate
    accuracy: Estimate


@dataclass(frozen=True)
class ChangedPrediction:
    """A test row by its position, with its prediction before and after a shift."""

    position: int
    direction: str
    distance: int
    before: str
    after: str
    p_after: float


@dataclass(frozen=True)
class Shifts:
    """Predictions of shifted images.

    `unshifted` is the accuracy of the same rows without a shift. `changed`, `accuracy` and `fall`
    have the mean of the four directions for each distance in `distances`; `fall` is `unshifted`
    minus the accuracy, compared row by row.
    """

    rows: int
    distances: list[int]
    unshifted: Estimate
    changed: list[Estimate]
    accuracy: list[Estimate]
    fall: list[Estimate]
    single: list[Shift]
    examples: list[ChangedPrediction]


def shift_images(images: Tensor, rows: int, columns: int) -> Tensor:
    """Shift images (B, C, H, W) down by `rows` and right by `columns`; fill with black."""
    height, width = images.shape[2:]
    padded = F.pad(images, (max(columns, 0), max(-columns, 0), max(rows, 0), max(-rows, 0)))
    top, left = max(-rows, 0), max(-columns, 0)
    return padded[:, :, top : top + height, left : left + width]


def measure_shifts(result: EvalResult, predict: Callable[[Tensor], NDArray[np.float32]]) -> Shifts:
    """Predict shifted test images; `predict` takes images (B, C, H, W) as in the table.

    Raises NotApplicable for images that are too small.
    """
    subset = result.subset
    largest = min(MAX_DISTANCE, min(subset.table.image_shape[1:]) - 1)
    if largest < 1:
        raise NotApplicable("images of one row or column cannot be shifted")
    positions = np.unique(np.linspace(0, len(subset) - 1, MAX_ROWS).round().astype(np.int64))
    images = torch.from_numpy(subset.table.images[subset.indices[positions]])
    before, labels = result.predictions[positions], subset.labels[positions]
    distances = list(range(1, largest + 1))
    single, changed, correct = [], [], []
    examples: list[ChangedPrediction] = []
    for distance in distances:
        for direction, (rows, columns) in DIRECTIONS.items():
            probabilities = predict(shift_images(images, rows * distance, columns * distance))
            after = probabilities.argmax(axis=1)
            changed.append(after != before)
            correct.append(after == labels)
            single.append(
                Shift(
                    distance,
                    direction,
                    wilson(int(changed[-1].sum()), len(after)),
                    wilson(int(correct[-1].sum()), len(after)),
                )
            )
            if distance == min(EXAMPLE_DISTANCE, largest):
                examples += find_changes(
                    result, positions, probabilities, direction, distance, limit=2
                )
    right = before == labels
    accuracies = mean_of_directions(correct)
    return Shifts(
        len(positions),
        distances,
        wilson(int(right.sum()), len(right)),
        [wilson(float(each.sum()), len(each)) for each in mean_of_directions(changed)],
        [wilson(float(each.sum()), len(each)) for each in accuracies],
        [paired_difference(right, each) for each in accuracies],
        single,
        examples,
    )


def mean_of_directions(outcomes: list[NDArray[np.bool_]]) -> NDArray[np.float64]:
    """Return the mean outcome of each row over the directions, (distances, rows)."""
    means: NDArray[np.float64] = np.reshape(outcomes, (-1, len(DIRECTIONS), len(outcomes[0]))).mean(
        axis=1
    )
    return means


def find_changes(
    result: EvalResult,
    positions: NDArray[np.int64],
    probabilities: NDArray[np.float32],
    direction: str,
    distance: int,
    limit: int,
) -> list[ChangedPrediction]:
    """Return the rows that were right and are wrong with the highest probability after a shift."""
    classes = result.subset.table.classes
    after = probabilities.argmax(axis=1)
    before = result.predictions[positions]
    lost = np.flatnonzero((before == result.subset.labels[positions]) & (after != before))
    confidence = probabilities[lost, after[lost]]
    return [
        ChangedPrediction(
            int(positions[index]),
            direction,
            distance,
            classes[before[index]],
            classes[after[index]],
            float(probabilities[index, after[index]]),
        )
        for index in lost[np.argsort(-confidence, kind="stable")[:limit]]
    ]

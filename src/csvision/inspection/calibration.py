"""Compare the confidence of a network with its accuracy.

The confidence of a prediction is the probability of the predicted class. N is the number of rows.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from csvision.inspection.proportions import Estimate, wilson

BINS = 15

THRESHOLDS = (0.0, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99)

SIMULATIONS = 500
"""Simulated tests of a perfectly calibrated network."""


@dataclass(frozen=True)
class Bin:
    """The predictions whose confidence is above `low` and at most `high`."""

    low: float
    high: float
    rows: int
    confidence: float
    accuracy: Estimate


@dataclass(frozen=True)
class Threshold:
    """The predictions whose confidence is at least `confidence`."""

    confidence: float
    rows: int
    coverage: float
    accuracy: Estimate


@dataclass(frozen=True)
class Calibration:
    """How confidence and accuracy agree.

    `error` is the expected calibration error (Naeini et al. 2015; Guo et al. 2017): the mean
    difference of confidence and accuracy over the bins, weighted by their rows. `calibrated_error`
    and `calibrated_error_95` are its mean and its 95 % quantile for a perfectly calibrated network
    with these confidences: the error is above zero by chance alone. `gap` is the mean confidence
    minus the accuracy; its interval excludes zero exactly if the interval of the accuracy excludes
    the mean confidence.
    """

    error: float
    calibrated_error: float
    calibrated_error_95: float
    confidence: float
    accuracy: Estimate
    gap: Estimate
    bins: list[Bin]
    thresholds: list[Threshold]

    @property
    def verdict(self) -> str:
        """overconfident, underconfident or neither.

        It is neither if the interval of the gap contains zero, or if the error is not above the
        95 % quantile of a perfectly calibrated network.
        """
        if self.error > self.calibrated_error_95:
            if self.gap.low > 0:
                return "overconfident"
            if self.gap.high < 0:
                return "underconfident"
        return "neither overconfident nor underconfident"

    @property
    def is_biased(self) -> bool:
        """Whether the network is overconfident or underconfident."""
        return not self.verdict.startswith("neither")


def calibrate(confidence: NDArray[np.float64], correct: NDArray[np.bool_]) -> Calibration:
    """Compare confidences (N,) with correctness (N,); N is at least 1."""
    rng = np.random.default_rng(0)
    simulated = [
        calibration_error(confidence, rng.random(len(confidence)) < confidence)
        for _ in range(SIMULATIONS)
    ]
    mean, accuracy = float(confidence.mean()), wilson(int(correct.sum()), len(correct))
    return Calibration(
        calibration_error(confidence, correct),
        float(np.mean(simulated)),
        float(np.quantile(simulated, 0.95)),
        mean,
        accuracy,
        # The confidences are known exactly. Their difference to outcomes of 0 and 1 has no spread
        # if all outcomes are equal, so that its standard error says nothing.
        Estimate(mean - accuracy.value, mean - accuracy.high, mean - accuracy.low),
        make_bins(confidence, correct),
        [apply_threshold(confidence, correct, threshold) for threshold in THRESHOLDS],
    )


def bin_indices(confidence: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return the bin of each confidence (N,), from 0; upper ends belong to their bin."""
    indices: NDArray[np.int64] = np.ceil(confidence * BINS).astype(np.int64) - 1
    return indices.clip(0, BINS - 1)


def calibration_error(confidence: NDArray[np.float64], correct: NDArray[np.bool_]) -> float:
    """Return the expected calibration error of `BINS` bins of equal width."""
    differences = np.bincount(bin_indices(confidence), confidence - correct, BINS)
    return float(np.abs(differences).sum() / len(confidence))


def make_bins(confidence: NDArray[np.float64], correct: NDArray[np.bool_]) -> list[Bin]:
    """Return the bins that have rows."""
    indices = bin_indices(confidence)
    bins = []
    for index in np.unique(indices):
        inside = indices == index
        bins.append(
            Bin(
                float(index / BINS),
                float((index + 1) / BINS),
                int(inside.sum()),
                float(confidence[inside].mean()),
                wilson(int(correct[inside].sum()), int(inside.sum())),
            )
        )
    return bins


def apply_threshold(
    confidence: NDArray[np.float64], correct: NDArray[np.bool_], threshold: float
) -> Threshold:
    """Return the accuracy of the predictions that reach a threshold."""
    kept = confidence >= threshold
    rows = int(kept.sum())
    return Threshold(threshold, rows, rows / len(kept), wilson(int(correct[kept].sum()), rows))

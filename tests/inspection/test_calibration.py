"""Calibration error, its verdict, and thresholds."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.calibration import calibration_curve
from torchmetrics.functional.classification import multiclass_calibration_error

from csvision.inspection.calibration import (
    BINS,
    apply_threshold,
    calibrate,
    calibration_error,
    make_bins,
)

# torchmetrics rounds the ends of the bins to float32.
INSIDE_A_BIN = st.floats(0.26, 0.999).filter(lambda p: 1e-4 < p * BINS % 1 < 1 - 1e-4)

PREDICTIONS = st.lists(st.tuples(INSIDE_A_BIN, st.booleans()), min_size=1, max_size=100).map(
    lambda pairs: (np.array([p for p, _ in pairs]), np.array([right for _, right in pairs]))
)


@given(PREDICTIONS)
def test_error_is_that_of_torchmetrics(data: tuple[np.ndarray, np.ndarray]) -> None:
    confidence, correct = data
    # Four classes; the first one is predicted, and is the label if the prediction is right.
    others = (1 - confidence)[:, None].repeat(3, axis=1) / 3
    probabilities = torch.from_numpy(np.column_stack([confidence, others]))
    labels = torch.from_numpy(np.where(correct, 0, 1))
    expected = multiclass_calibration_error(probabilities, labels, 4, n_bins=BINS)
    assert calibration_error(confidence, correct) == pytest.approx(float(expected), abs=1e-5)


@settings(max_examples=40)
@given(PREDICTIONS)
def test_bins_are_those_of_sklearn(data: tuple[np.ndarray, np.ndarray]) -> None:
    confidence, correct = data
    accuracy, means = calibration_curve(correct, confidence, n_bins=BINS)
    bins = make_bins(confidence, correct)
    np.testing.assert_allclose([each.accuracy.value for each in bins], accuracy)
    np.testing.assert_allclose([each.confidence for each in bins], means)
    weights = np.array([each.rows for each in bins]) / len(confidence)
    expected = float((weights * np.abs(accuracy - means)).sum())
    assert calibration_error(confidence, correct) == pytest.approx(expected, abs=1e-12)


def simulate(gap: float, rows: int = 2000) -> tuple[np.ndarray, np.ndarray]:
    """Confidences, and predictions that are right `gap` less often."""
    rng = np.random.default_rng(0)
    confidence = rng.uniform(0.5, 1, rows)
    return confidence, rng.random(rows) < confidence - gap


@pytest.mark.parametrize(
    ("gap", "verdict"),
    [
        (0.1, "overconfident"),
        (-0.1, "underconfident"),
        (0.0, "neither overconfident nor underconfident"),
    ],
)
def test_verdict_follows_the_interval_of_the_gap(gap: float, verdict: str) -> None:
    found = calibrate(*simulate(gap))
    assert found.verdict == verdict
    assert found.gap.value == pytest.approx(found.confidence - found.accuracy.value)


def test_accuracy_without_errors_is_not_certain() -> None:
    """40 of 40 are right with a mean confidence of 98 %: that is no underconfidence."""
    confidence = np.linspace(0.96, 1, 40)
    found = calibrate(confidence, np.ones(40, bool))
    assert found.accuracy.low < found.confidence < found.accuracy.value
    assert found.gap.low < 0 < found.gap.high
    assert found.error < found.calibrated_error_95
    assert not found.is_biased


def test_verdict_needs_an_error_above_chance() -> None:
    """The interval of the gap excludes zero in both cases."""
    found = calibrate(*simulate(0.1))
    assert found.is_biased
    assert not replace(found, calibrated_error_95=found.error).is_biased


@settings(max_examples=40, deadline=None)
@given(PREDICTIONS)
def test_gap_excludes_zero_if_the_accuracy_excludes_the_confidence(
    data: tuple[np.ndarray, np.ndarray],
) -> None:
    found = calibrate(*data)
    outside = not found.accuracy.low <= found.confidence <= found.accuracy.high
    assert (found.gap.low > 0 or found.gap.high < 0) == outside


def test_calibrated_network_stays_below_the_error_by_chance() -> None:
    found = calibrate(*simulate(0.0))
    assert 0 < found.calibrated_error < found.calibrated_error_95
    assert found.error < found.calibrated_error_95
    assert calibrate(*simulate(0.1)).error > found.calibrated_error_95


def test_threshold_keeps_the_confident_rows() -> None:
    confidence, correct = np.array([0.4, 0.9, 0.95, 0.5]), np.array([False, True, False, True])
    found = apply_threshold(confidence, correct, 0.9)
    assert (found.rows, found.coverage, found.accuracy.value) == (2, 0.5, 0.5)
    assert np.isnan(apply_threshold(confidence, correct, 0.99).accuracy.value)


def test_upper_end_belongs_to_its_bin() -> None:
    (found,) = make_bins(np.array([0.2, 0.19]), np.array([True, False]))
    assert (found.low, found.high) == pytest.approx((2 / BINS, 3 / BINS))


def test_confidences_of_zero_and_one_have_a_bin() -> None:
    first, last = make_bins(np.array([0.0, 1.0]), np.array([False, True]))
    assert (first.low, last.high) == (0, 1)

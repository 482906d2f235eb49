"""Images, labels and predictions of a subset, in its order."""

from pathlib import Path

import numpy as np
import pytest
import torch

import csvision
from csvision_claims.measuring.subsets import predict_classes, subset_images, subset_labels


@pytest.mark.slow
def test_predictions_are_those_of_the_evaluation(digits_csv: Path) -> None:
    trained = csvision.train(
        "data=csv", f"data.csv={digits_csv}", "model=mlp", "epochs=3", "quiet=true", "logger=none"
    )
    subset = trained.splits.test
    found = predict_classes(trained, subset_images(subset))
    assert np.array_equal(found.numpy(), trained.evaluation.predictions)
    accuracy = float((found == subset_labels(subset)).double().mean())
    assert abs(accuracy - trained.metrics["test/acc"]) < 1e-6
    assert torch.equal(subset_images(subset.head(3)), subset_images(subset)[:3])

"""What is read off a trained network: the rows of a part, in its order, and its classes."""

from pathlib import Path

import numpy as np
import torch

import csvision
from csvision.claims.measuring.looks import images_of, labels_of, predicted


def test_predictions_are_those_of_the_evaluation(digits_csv: Path) -> None:
    trained = csvision.train(
        "data=csv", f"data.csv={digits_csv}", "model=mlp", "epochs=3", "quiet=true", "logger=none"
    )
    part = trained.parts.test
    found = predicted(trained, images_of(part))
    assert np.array_equal(found.numpy(), trained.evaluation.predictions)
    accuracy = float((found == labels_of(part)).double().mean())
    assert abs(accuracy - trained.metrics["test/acc"]) < 1e-6
    assert torch.equal(images_of(part.first(3)), images_of(part)[:3])

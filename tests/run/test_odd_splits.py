"""Metrics of splits with missing classes and a last batch of one image, by scikit-learn."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import accuracy_score, f1_score, log_loss

import csvision
from csvision.run.directory import RunDirectory

TRAINING = (
    "data=csv",
    "data.csv=letters.csv",
    "data.cache=none",
    "accelerator=cpu",
    "accelerator.num_threads=1",
    "batch_size=37",
    "epochs=2",
    "logger=none",
    "quiet=true",
)

MODELS = {
    "mlp": ("model=mlp", "model.hidden=[8]"),
    "cnn": ("model.stages=[{filters:4,normalization:batch}]", "model.hidden=[]"),
}


def letters(rows: int, labels: list[int], seed: int) -> pd.DataFrame:
    """Return noisy 4x4 images, every label with nearly the same number of rows."""
    generator = np.random.default_rng(seed)
    label = np.resize(labels, rows)
    images = generator.integers(0, 100, (rows, 16)) + 6 * label[:, None]
    table = pd.DataFrame(images, columns=[f"pixel{index}" for index in range(16)])
    table.insert(0, "label", label)
    return table


# As in Sign Language MNIST, whose 25 letters have no J.
LABELS = [label for label in range(25) if label != 9]


def check_metrics(metrics_file: Path, test_rows: int) -> None:
    """Compare metrics.json with what scikit-learn computes from predictions.csv."""
    metrics = json.loads(metrics_file.read_text(encoding="utf-8"))
    table = pd.read_csv(metrics_file.with_name("predictions.csv"))
    assert len(table) == test_rows
    probabilities = table.filter(like="probability ").to_numpy(np.float64)
    assert probabilities.shape == (test_rows, len(LABELS))
    # scikit-learn accepts only rows that add up to 1 in float64.
    probabilities /= probabilities.sum(axis=1, keepdims=True)
    # Only classes with a label or a prediction have an F1.
    expected = {
        "test/acc": accuracy_score(table["label"], table["prediction"]),
        "test/f1": f1_score(table["label"], table["prediction"], average="macro"),
        "test/loss": log_loss(table["label"], probabilities, labels=LABELS),
    }
    assert {name: metrics[name] for name in expected} == pytest.approx(expected, abs=1e-6)
    by_class = {
        str(label): (rows["prediction"] == label).mean() for label, rows in table.groupby("label")
    }
    recorded = metrics["test/acc by class"]
    assert len(recorded) == len(LABELS)
    assert {name: recorded[name] for name in by_class} == pytest.approx(by_class, abs=1e-6)
    assert all(recorded[name] is None for name in recorded.keys() - by_class.keys())


@pytest.mark.slow
@pytest.mark.parametrize("model", MODELS)
# Three full batches, and a last one of 1, 36 or 37 images; 0, 1 or 20 classes without test rows.
@pytest.mark.parametrize(("test_rows", "missing"), [(112, 20), (147, 0), (148, 1)])
def test_metrics_are_those_of_scikit_learn(model: str, missing: int, test_rows: int) -> None:
    # 593 training rows: the last of 17 batches has one image.
    letters(593, LABELS, seed=0).to_csv("letters.csv", index=False)
    letters(test_rows, LABELS[missing:], seed=1).to_csv("test.csv", index=False)
    overrides = (*TRAINING, *MODELS[model], "data.test_csv=test.csv", "data.val_size=0")
    run = RunDirectory(csvision.train(*overrides).directory)
    assert run.read_manifest()["data"]["rows"]["train"] % 37 == 1
    check_metrics(run.metrics, test_rows)


@pytest.mark.slow
def test_validation_metrics_are_those_of_evaluate_on_the_same_rows() -> None:
    # 38 validation rows: the last batch has one image.
    table = letters(418, LABELS, seed=0)
    table.to_csv("letters.csv", index=False)
    letters(24, LABELS, seed=1).to_csv("test.csv", index=False)
    overrides = (*TRAINING, *MODELS["cnn"], "data.test_csv=test.csv", "data.val_size=0.09")
    result = csvision.train(*overrides)
    rows = result.splits.val.indices
    assert len(rows) == 38
    table.iloc[rows].to_csv("val.csv", index=False)
    evaluation = csvision.evaluate(result.directory, "data.csv=val.csv", "quiet=true")
    assert evaluation.directory is not None
    check_metrics(evaluation.directory / "metrics.json", 38)
    for name in ("loss", "acc"):
        value = evaluation.metrics[f"test/{name}"]
        assert value == pytest.approx(result.metrics[f"val/{name}"], abs=1e-6)

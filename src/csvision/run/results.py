"""The outcome of a test: scores, probabilities and confusions, and the files they go into."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from lightning import Trainer
from numpy.typing import NDArray

from csvision.classifier import Classifier
from csvision.data.batches import BatchLoader, Place
from csvision.data.split import Part
from csvision.run.directory import write_json

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Evaluation:
    """What a classifier made of the rows of a part.

    `metrics` has test/loss, test/acc and test/f1; `probabilities` is (N, K), `confusion` (K, K)
    with a row for each true class, `class_accuracy` (K,).
    """

    part: Part
    metrics: dict[str, float]
    probabilities: Floats
    confusion: NDArray[np.int64]
    class_accuracy: Floats

    @property
    def predictions(self) -> NDArray[np.int64]:
        """The most probable class of each row (N,)."""
        predictions: NDArray[np.int64] = self.probabilities.argmax(axis=1)
        return predictions


def evaluate_part(
    trainer: Trainer, classifier: Classifier, part: Part, batch_size: int
) -> Evaluation:
    """Test a classifier on the rows of a part, in eval mode and without gradients."""
    loader = BatchLoader(part, batch_size, place=Place.of(trainer))
    trainer.test(classifier, loader, verbose=False)
    metrics = trainer.callback_metrics
    return Evaluation(
        part,
        {name: float(metrics[name]) for name in ("test/loss", "test/acc", "test/f1")},
        classifier.test_logits.softmax(dim=1).numpy(),
        classifier.confusion.numpy(),
        classifier.class_accuracy.numpy(),
    )


def class_table(evaluation: Evaluation) -> pd.DataFrame:
    """Rows, precision, recall (the accuracy within the class) and F1 of each class."""
    confusion = evaluation.confusion
    with np.errstate(invalid="ignore"):
        precision = confusion.diagonal() / confusion.sum(axis=0)
        recall = confusion.diagonal() / confusion.sum(axis=1)
        f1 = 2 * confusion.diagonal() / (confusion.sum(axis=0) + confusion.sum(axis=1))
    return pd.DataFrame(
        {
            "class": evaluation.part.table.classes,
            "rows": confusion.sum(axis=1),
            "precision": precision,
            "recall": recall,
            "f1": f1,
        }
    )


def prediction_table(
    part: Part, probabilities: Floats, labels: NDArray[np.int64] | None = None
) -> pd.DataFrame:
    """A row for each image: its row in the file, counted from 0, label, prediction, probabilities.

    Labels and predictions are the file's own label values.
    """
    values = np.asarray(part.table.label_values)
    columns: dict[str, NDArray[np.generic]] = {"row": part.rows}
    if labels is not None:
        columns["label"] = values[labels]
    columns["prediction"] = values[probabilities.argmax(axis=1)]
    for index, name in enumerate(part.table.classes):
        columns[f"probability {name}"] = probabilities[:, index]
    return pd.DataFrame(columns)


def write_results(evaluation: Evaluation, metrics: dict[str, float], folder: Path) -> None:
    """Write metrics.json, per_class.csv, confusion_matrix.csv and predictions.csv.

    A class without rows has no accuracy: null.
    """
    part = evaluation.part
    classes = part.table.classes
    rows = evaluation.confusion.sum(axis=1)
    accuracy = {
        name: float(value) if count else None
        for name, value, count in zip(classes, evaluation.class_accuracy, rows, strict=True)
    }
    write_json(folder / "metrics.json", metrics | {"test/acc by class": accuracy})
    class_table(evaluation).to_csv(folder / "per_class.csv", index=False)
    confusion = pd.DataFrame(evaluation.confusion, index=classes, columns=classes)
    confusion.to_csv(folder / "confusion_matrix.csv", index_label="true class")
    table = prediction_table(part, evaluation.probabilities, part.labels)
    table.to_csv(folder / "predictions.csv", index=False)

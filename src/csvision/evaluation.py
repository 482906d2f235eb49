"""Test a classifier on a split: metrics, probabilities, confusion matrix, and their files.

Shapes: N images, K classes.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from lightning import Callback, LightningModule, Trainer
from numpy.typing import NDArray
from sklearn.metrics import confusion_matrix
from torch import Tensor

from csvision.classifier import Classifier
from csvision.data.data_spec import LabelValues
from csvision.data.loader import BatchLoader, ShardInfo
from csvision.data.splits import Subset
from csvision.errors import DivergedError
from csvision.files import write_json
from csvision.rng import seeded_generators

Floats = NDArray[np.float32]

EVALUATION_SEED = 0
"""The seed of the global generators in a test: a network that draws from them gives equal results.
"""


@dataclass(frozen=True)
class EvalResult:
    """The result of a test.

    `metrics` has test/loss and the scores, such as test/acc; `probabilities` is (N, K);
    `predictions` has the most probable class of each image (N,). `directory` has its files, if they
    were written.
    """

    subset: Subset = field(repr=False)
    metrics: dict[str, float]
    probabilities: Floats = field(repr=False)
    predictions: NDArray[np.int64] = field(repr=False)
    directory: Path | None = None

    @property
    def confusion_matrix(self) -> NDArray[np.int64]:
        """Counts (K, K) with one row per true class and one column per predicted class."""
        classes = np.arange(self.probabilities.shape[1])
        counts: NDArray[np.int64] = confusion_matrix(
            self.subset.labels, self.predictions, labels=classes
        )
        return counts

    @property
    def per_class_accuracy(self) -> NDArray[np.float64]:
        """The fraction of correct predictions per class (K,); NaN for a class without images."""
        counts = self.confusion_matrix
        with np.errstate(invalid="ignore"):
            accuracy: NDArray[np.float64] = counts.diagonal() / counts.sum(axis=1)
        return accuracy


class CollectLogits(Callback):
    """Collects the logits of a test in the order of the rows, over all processes."""

    def __init__(self) -> None:
        self.batches: list[Tensor] = []
        self.logits = torch.empty(0)

    def on_test_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, *args: Any
    ) -> None:
        """Keep the logits of one batch."""
        self.batches.append(outputs.cpu())

    def on_test_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Join the batches of all processes."""
        self.logits = gather_logits(torch.cat(self.batches), trainer.world_size)


def gather_logits(logits: Tensor, world_size: int) -> Tensor:
    """Return the rows (N, K) of all processes in order; process r has the rows r, r + R, ..."""
    if world_size == 1:
        return logits
    shards: list[Tensor] = [logits] * world_size
    torch.distributed.all_gather_object(shards, logits)
    result = logits.new_empty(sum(map(len, shards)), logits.shape[1])
    for rank, shard in enumerate(shards):
        result[rank::world_size] = shard
    return result


def evaluate_split(
    trainer: Trainer, classifier: Classifier, subset: Subset, batch_size: int
) -> EvalResult:
    """Test a classifier on a split; raises DivergedError if its outputs are not finite."""
    loader = BatchLoader(subset, batch_size, shard=ShardInfo.from_trainer(trainer))
    collected = CollectLogits()
    trainer.callbacks.append(collected)  # type: ignore[attr-defined]
    try:
        with seeded_generators(EVALUATION_SEED):
            trainer.test(classifier, loader, verbose=False)
    finally:
        trainer.callbacks.remove(collected)  # type: ignore[attr-defined]
    metrics = select_metrics(trainer.callback_metrics, "test/")
    probabilities = collected.logits.float().softmax(dim=1).numpy()
    check_finite(probabilities)
    if not np.isfinite(metrics["test/loss"]):
        raise DivergedError(f"test/loss is {metrics['test/loss']}")
    return EvalResult(subset, metrics, probabilities, collected.logits.argmax(dim=1).numpy())


def check_finite(probabilities: Floats) -> None:
    """Raise DivergedError if the network has returned NaN or infinite values for an image."""
    if count := count_not_finite(probabilities):
        raise DivergedError(not_finite_message(count, len(probabilities)))


def count_not_finite(probabilities: Floats) -> int:
    """Return the number of images for which a probability (N, K) is NaN or infinite."""
    return int(np.count_nonzero(~np.isfinite(probabilities).all(axis=1)))


def not_finite_message(count: int, total: int) -> str:
    """Say for how many of all images the outputs are not finite."""
    return (
        f"the outputs of the network are NaN or infinite for {count} of {total} images; reduce "
        "optimizer.lr and train again"
    )


def select_metrics(metrics: Mapping[str, Any], prefix: str) -> dict[str, float]:
    """Return the metrics whose names start with `prefix`, as plain numbers."""
    return {name: float(metrics[name]) for name in metrics if name.startswith(prefix)}


def classification_report(result: EvalResult) -> pd.DataFrame:
    """Return the number of rows, precision, recall and F1 of each class."""
    counts = result.confusion_matrix
    correct, true, predicted = counts.diagonal(), counts.sum(axis=1), counts.sum(axis=0)
    with np.errstate(invalid="ignore"):
        return pd.DataFrame(
            {
                "class": result.subset.table.classes,
                "rows": true,
                "precision": correct / predicted,
                "recall": correct / true,
                "f1": 2 * correct / (predicted + true),
            }
        )


def explain_undefined(report: pd.DataFrame) -> list[str]:
    """Return one line for each column of a classification report that has undefined values."""
    reasons = {
        "precision": "is predicted for no image, so the precision is not defined",
        "recall": "has no image, so the recall is not defined",
    }
    undefined = {name: report["class"][report[name].isna()] for name in reasons}
    return [
        f"-: {', '.join(classes)} {reasons[name]}"
        for name, classes in undefined.items()
        if len(classes)
    ]


def prediction_table(
    subset: Subset,
    probabilities: Floats,
    predictions: NDArray[np.int64],
    labels: NDArray[np.int64] | None = None,
) -> pd.DataFrame:
    """Return one row per image: its row in the file from 0, label, prediction, probabilities.

    A file that identifies its rows gives a column id. `predictions` and `labels` are class indices;
    the columns have label values of the file.
    """
    table = subset.table
    ids = None if table.ids is None else np.array(table.ids)[subset.indices]
    values, classes = table.label_values, table.classes
    # NaN stands for an estimator without probabilities.
    known = None if np.isnan(probabilities).all() else probabilities
    return label_table(subset.indices, ids, values, classes, known, predictions, labels)


def label_table(
    rows: NDArray[np.int64],
    ids: NDArray[np.str_] | None,
    label_values: LabelValues,
    classes: Sequence[str],
    probabilities: Floats | None,
    predictions: NDArray[np.int64],
    labels: NDArray[np.int64] | None,
) -> pd.DataFrame:
    """Return the table of `prediction_table` for these rows; probabilities can be left out."""
    values = np.asarray(label_values)
    columns: dict[str, NDArray[np.generic]] = {"row": rows}
    if ids is not None:
        columns["id"] = ids
    if labels is not None:
        columns["label"] = values[labels]
    columns["prediction"] = values[predictions]
    if probabilities is not None:
        for index, name in enumerate(classes):
            columns[f"probability {name}"] = probabilities[:, index]
    return pd.DataFrame(columns)


def write_results(result: EvalResult, metrics: dict[str, float], folder: Path) -> None:
    """Write metrics.json, per_class.csv, confusion_matrix.csv and predictions.csv.

    The accuracy of a class without images is null.
    """
    subset = result.subset
    classes = subset.table.classes
    accuracies = result.per_class_accuracy.astype(np.float32)
    accuracy = {
        name: None if np.isnan(value) else float(value)
        for name, value in zip(classes, accuracies, strict=True)
    }
    write_json(folder / "metrics.json", metrics | {"test/acc by class": accuracy})
    classification_report(result).to_csv(folder / "per_class.csv", index=False)
    counts = pd.DataFrame(result.confusion_matrix, index=classes, columns=classes)
    counts.to_csv(folder / "confusion_matrix.csv", index_label="true class")
    table = prediction_table(subset, result.probabilities, result.predictions, subset.labels)
    table.to_csv(folder / "predictions.csv", index=False)


def format_metrics(metrics: dict[str, float]) -> str:
    """Format metrics as one line."""
    return "  ".join(f"{name} {value:.4f}" for name, value in sorted(metrics.items()))

"""Evaluate a fitted baseline with the metrics of a training run, and write its results."""

import numpy as np
import torch
from numpy.typing import NDArray

from csvision.baselines.fitted import FittedBaseline
from csvision.config import schema
from csvision.config.baseline_schema import BaselineConfig
from csvision.config.monitor import SCORES
from csvision.data.splits import Subset
from csvision.evaluation import EvalResult, write_results
from csvision.metrics import class_scores, count_classes
from csvision.plots import save_confusion_matrix
from csvision.run.directory import RunDirectory
from csvision.run.log import log
from csvision.run.swept_overrides import swept_overrides
from csvision.tensorboard import log_baseline


def evaluate_subset(fitted: FittedBaseline, subset: Subset, name: str = "test") -> EvalResult:
    """Return the scores and, if it is defined, the loss on a split."""
    images = subset.table.images[subset.indices]
    predictions, probabilities = fitted.predict(images), fitted.predict_proba(images)
    counts = count_classes(
        torch.from_numpy(predictions), torch.from_numpy(subset.labels), probabilities.shape[1]
    )
    metrics = {f"{name}/{key}": float(value) for key, value in class_scores(counts).items()}
    loss = mean_loss(fitted, subset, probabilities, name)
    if loss is not None:
        metrics = {f"{name}/loss": loss, **metrics}
    return EvalResult(subset, metrics, probabilities.astype(np.float32), predictions)


def mean_loss(
    fitted: FittedBaseline, subset: Subset, probabilities: NDArray[np.float64], name: str
) -> float | None:
    """Return the mean cross-entropy of probabilities (N, K); None if undefined or infinite."""
    if not fitted.has_probabilities:
        return None
    of_label = probabilities[np.arange(len(subset)), subset.labels]
    if zeros := int((of_label == 0).sum()):
        log.info(
            "%s/loss is infinite and not written: %d of %d rows have probability 0 for their class",
            name,
            zeros,
            len(subset),
        )
        return None
    # Adding 0 turns -0.0 into 0.0.
    return float(-np.log(of_label).mean()) + 0.0


def run_metrics(fitted: FittedBaseline, train: Subset, val: Subset) -> dict[str, float]:
    """Return train/loss, and loss and scores of val/, as a trained run has them, if defined.

    For neighbors there is no training loss: each training image is its own nearest neighbor.
    """
    names = set()
    metrics: dict[str, float] = {}
    if fitted.has_probabilities and not fitted.keeps_rows:
        metrics |= evaluate_subset(fitted, train, "train").metrics
        names.add("train/loss")
    if len(val):
        metrics |= evaluate_subset(fitted, val, "val").metrics
        names |= {f"val/{name}" for name in ("loss", *SCORES)}
    return {name: metrics[name] for name in sorted(names & metrics.keys())}


def write_run(
    run_dir: RunDirectory, config: BaselineConfig, metrics: dict[str, float], evaluation: EvalResult
) -> None:
    """Write the results of a run: tables, the plot and TensorBoard figures."""
    write_results(evaluation, metrics, run_dir.path)
    save_confusion_matrix(evaluation, run_dir.path)
    if config.logger.name is schema.LoggerName.tensorboard:
        log_baseline(run_dir.path, config, metrics, evaluation, swept_overrides(run_dir))

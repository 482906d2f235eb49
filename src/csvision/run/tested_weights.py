"""Load the weights that a run tests, and find the training metrics of their epoch."""

from pathlib import Path

from lightning import Trainer

from csvision.callbacks.history import HistoryCallback
from csvision.classifier import Classifier
from csvision.config import schema
from csvision.evaluation import select_metrics
from csvision.run.checkpoints import load_weights, read_checkpoint
from csvision.run.directory import RunDirectory
from csvision.run.log import log


def load_tested(
    classifier: Classifier, trainer: Trainer, run_dir: RunDirectory, config: schema.TrainConfig
) -> int:
    """Load the weights to test; return their epoch, counted from 1."""
    path = select_checkpoint(trainer, run_dir, config.tested_checkpoint)
    content = read_checkpoint(path)
    load_weights(classifier, path, content)
    epoch = int(content["epoch"]) + 1
    if path.name == run_dir.best.name:
        log.info("all metrics are those of epoch %d, the best by %s", epoch, config.monitor)
    return epoch


def train_metrics(history: HistoryCallback, epoch: int) -> dict[str, float]:
    """Return the train/ metrics of an epoch."""
    (row,) = (row for row in history.rows if row["epoch"] == epoch)
    return select_metrics(row, "train/")


def select_checkpoint(trainer: Trainer, run_dir: RunDirectory, name: schema.CheckpointName) -> Path:
    """Return the checkpoint to test, as chosen by rank 0."""
    path = str(run_dir.checkpoint(name)) if trainer.is_global_zero else ""
    return Path(trainer.strategy.broadcast(path))

"""Train a network as configured, test it, and leave a run directory behind."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from lightning import Callback, Trainer
from lightning.pytorch.callbacks import ModelCheckpoint
from lightning.pytorch.profilers import SimpleProfiler
from lightning.pytorch.utilities.seed import isolate_rng
from torch.utils.tensorboard import SummaryWriter

from csvision import schema
from csvision.checks import check
from csvision.classifier import Classifier
from csvision.data.batches import BatchLoader
from csvision.data.module import CSVDataModule
from csvision.data.split import Parts
from csvision.models.build import build_network
from csvision.models.summary import describe_network
from csvision.run import device
from csvision.run import log as run_log
from csvision.run.directory import RunDirectory, add_to_manifest, claim, state_recorded
from csvision.run.log import log
from csvision.run.progress import EpochBar, EpochRecorder
from csvision.run.results import Evaluation, evaluate_part, write_results
from csvision.seeding import stream_seed


@dataclass(frozen=True)
class Trained:
    """A finished run: its metrics, where it is, and the classifier that the metrics are of."""

    metrics: dict[str, float]
    directory: Path
    classifier: Classifier
    config: schema.Train
    parts: Parts
    evaluation: Evaluation


def train(
    settings: schema.Train, parts: Parts, directory: Path, overrides: Sequence[str] = ()
) -> Trained:
    """Train and test; write everything into `directory`.

    Raises ConfigError or RunError, before anything is written, when the configuration does not
    fit the data or the machine, or the directory is taken.
    """
    table = parts.train.table
    check(settings, table.image_shape, len(table.classes))
    device.require(settings.accelerator.name)
    if settings.accelerator.threads is not None:
        torch.set_num_threads(settings.accelerator.threads)
    network = build_network(
        settings.model,
        table.image_shape,
        len(table.classes),
        stream_seed(settings.seed, "weights"),
    )
    run = claim(directory, settings, overrides)
    with run_log.file(run.log), state_recorded(run), isolate_rng():
        log.info(describe_network(network, settings.model, table.image_shape, len(table.classes)))
        classifier = Classifier(network, table.classes, settings.optimizer, settings.scheduler)
        trainer = build_trainer(settings, run, bool(len(parts.val)))
        add_to_manifest(run, **facts(parts, trainer))
        last_loss = fit(trainer, classifier, parts, settings)
        load_weights(classifier, run.checkpoint())
        metrics = {
            "train/loss": last_loss,
            **validation_metrics(trainer, classifier, parts, settings),
        }
        evaluation = evaluate_part(trainer, classifier, parts.test, settings.batch_size)
        metrics |= evaluation.metrics
        write_results(evaluation, metrics, run.path)
    return Trained(metrics, run.path, classifier, settings, parts, evaluation)


def facts(parts: Parts, trainer: Trainer) -> dict[str, object]:
    """What evaluation and a reader need to know of the data and the machine."""
    table = parts.train.table
    return {
        "data": {
            "image_shape": list(table.image_shape),
            "label_values": table.label_values,
            "classes": table.classes,
            "rows": {"train": len(parts.train), "val": len(parts.val), "test": len(parts.test)},
        },
        "accelerator": trainer.strategy.root_device.type,
        "threads": torch.get_num_threads(),
    }


def fit(trainer: Trainer, classifier: Classifier, parts: Parts, settings: schema.Train) -> float:
    """Fit the classifier; the mean loss of the last epoch."""
    data = CSVDataModule(parts, settings.batch_size, stream_seed(settings.seed, "batches"))
    # Dropout cannot take a generator: the global stream is its alone.
    torch.manual_seed(stream_seed(settings.seed, "dropout"))
    trainer.fit(classifier, data)
    return float(trainer.callback_metrics["train/loss"])


def validation_metrics(
    trainer: Trainer, classifier: Classifier, parts: Parts, settings: schema.Train
) -> dict[str, float]:
    """Loss and accuracy on the validation rows, of the weights that are tested; none without."""
    if not len(parts.val):
        return {}
    trainer.validate(classifier, BatchLoader(parts.val, settings.batch_size), verbose=False)
    return {name: float(trainer.callback_metrics[name]) for name in ("val/loss", "val/acc")}


def load_weights(classifier: Classifier, checkpoint: Path) -> None:
    """Give a classifier the weights of a checkpoint, which can execute nothing."""
    state = torch.load(checkpoint, map_location="cpu", weights_only=True)["state_dict"]
    classifier.load_state_dict(state)


def build_trainer(settings: schema.Train, run: RunDirectory, validates: bool) -> Trainer:
    """The Trainer of a run."""
    tensorboard = settings.logger.name is schema.LoggerName.tensorboard
    curves = SummaryWriter(run.path) if tensorboard else None
    callbacks: list[Callback] = [EpochRecorder(run.history, curves), checkpoints(run.last)]
    if validates:
        callbacks.append(checkpoints(run.best, monitor="val/acc", mode="max"))
    bar = sys.stdout.isatty() and not settings.quiet
    if bar:
        callbacks.append(EpochBar())
    return Trainer(
        accelerator=settings.accelerator.name.value,
        devices=1,
        precision=settings.accelerator.precision,  # type: ignore[arg-type]
        max_epochs=settings.epochs,
        callbacks=callbacks,
        logger=False,
        profiler=SimpleProfiler(run.path, "profile") if settings.debug.profile else None,
        default_root_dir=run.path,
        num_sanity_val_steps=0,
        enable_progress_bar=bar,
        enable_model_summary=False,
    )


def checkpoints(path: Path, monitor: str | None = None, mode: str = "min") -> ModelCheckpoint:
    """Keep one checkpoint under a fixed name: the last epoch's, or that of the best `monitor`."""
    return ModelCheckpoint(
        path.parent, path.stem, monitor=monitor, mode=mode, enable_version_counter=False
    )

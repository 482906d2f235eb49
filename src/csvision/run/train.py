"""Train a network as configured, test it, and leave a run directory behind."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import torch
from lightning import Trainer
from lightning.pytorch.utilities.seed import isolate_rng
from torch import nn

from csvision import schema
from csvision.augmentation import Augmentation
from csvision.checks import check
from csvision.classifier import Classifier
from csvision.data.batches import BatchLoader, Place
from csvision.data.findings import findings
from csvision.data.module import CSVDataModule
from csvision.data.split import Parts
from csvision.data.statistics import channel_statistics
from csvision.models.build import build_network
from csvision.models.summary import describe_network
from csvision.run import device
from csvision.run import log as run_log
from csvision.run.directory import RunDirectory, add_to_manifest, claim, leads, state_recorded
from csvision.run.log import log
from csvision.run.results import Evaluation, evaluate_part, write_results
from csvision.run.trainer import build_trainer
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
    parts.require_rows(settings.accelerator.devices)
    device.require(settings.accelerator.name, settings.accelerator.devices)
    network = build_network(
        settings.model,
        table.image_shape,
        len(table.classes),
        stream_seed(settings.seed, "weights"),
    )
    with (
        recorded(directory, settings, overrides) as run,
        isolate_rng(),
        device.threads(settings.accelerator.threads),
        interruptible(),
    ):
        log.info(describe_network(network, settings.model, table.image_shape, len(table.classes)))
        for finding in findings(parts):
            log.warning("data: %s", finding)
        classifier = build_classifier(network, parts, settings)
        trainer = build_trainer(settings, run, bool(len(parts.val)))
        if leads():
            add_to_manifest(run, **facts(parts, trainer))
        last_loss = fit(trainer, classifier, parts, settings)
        load_weights(classifier, chosen_checkpoint(trainer, run, settings.weights))
        metrics = {
            "train/loss": last_loss,
            **validation_metrics(trainer, classifier, parts, settings),
        }
        evaluation = evaluate_part(trainer, classifier, parts.test, settings.batch_size)
        metrics |= evaluation.metrics
        if leads():
            write_results(evaluation, metrics, run.path)
    return Trained(metrics, run.path, classifier, settings, parts, evaluation)


@contextmanager
def recorded(
    directory: Path, settings: schema.Train, overrides: Sequence[str]
) -> Iterator[RunDirectory]:
    """Claim the directory and keep log and state; of several processes only the first does."""
    if not leads():
        yield RunDirectory(directory)
        return
    run = claim(directory, settings, overrides)
    with run_log.file(run.log), state_recorded(run):
        yield run


def build_classifier(network: nn.Module, parts: Parts, settings: schema.Train) -> Classifier:
    """The classifier of a run, ready to be fitted."""
    channels = parts.train.table.image_shape[0]
    mean, deviation = [0.0] * channels, [1.0] * channels
    if settings.data.standardize:
        mean, deviation = channel_statistics(parts.train)
    return Classifier(
        network,
        parts.train.table.classes,
        settings.optimizer,
        settings.scheduler,
        Augmentation(settings.augmentation, stream_seed(settings.seed, "augmentation")),
        mean,
        deviation,
    )


@contextmanager
def interruptible() -> Iterator[None]:
    """Let Ctrl-C arrive as KeyboardInterrupt, of which Lightning makes SystemExit."""
    try:
        yield
    except SystemExit as error:
        if isinstance(error.__context__, KeyboardInterrupt):
            raise error.__context__ from None
        raise


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
    loader = BatchLoader(parts.val, settings.batch_size, place=Place.of(trainer))
    trainer.validate(classifier, loader, verbose=False)
    return {name: float(trainer.callback_metrics[name]) for name in ("val/loss", "val/acc")}


def chosen_checkpoint(trainer: Trainer, run: RunDirectory, weights: schema.Weights) -> Path:
    """The checkpoint to be tested; the first process tells the others, whose clocks differ."""
    return Path(trainer.strategy.broadcast(str(run.checkpoint(weights)) if leads() else ""))


def load_weights(classifier: Classifier, checkpoint: Path) -> None:
    """Give a classifier the weights of a checkpoint, which can execute nothing."""
    state = torch.load(checkpoint, map_location="cpu", weights_only=True)["state_dict"]
    classifier.load_state_dict(state)

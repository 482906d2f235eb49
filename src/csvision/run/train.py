"""Train a network as configured, test it, and leave a run directory behind."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from shlex import quote

import torch
from lightning import Trainer
from lightning.pytorch.utilities.seed import isolate_rng
from torch import nn

from csvision import schema
from csvision.arrangement import Arrangement, arranged_shape
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
from csvision.run import device, provenance
from csvision.run import log as run_log
from csvision.run.checkpoints import load_weights, newest_checkpoint
from csvision.run.directory import (
    SWEEP_FILE,
    RunDirectory,
    add_to_manifest,
    claim,
    claim_again,
    leads,
    locked,
    now,
    state_recorded,
)
from csvision.run.interruption import Interrupted, interruptible
from csvision.run.log import log
from csvision.run.progress import EpochRecorder
from csvision.run.random_streams import seed_global_streams
from csvision.run.results import Evaluation, evaluate_part, write_results
from csvision.run.surroundings import surroundings_told
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
    settings: schema.Train,
    parts: Parts,
    directory: Path,
    overrides: Sequence[str] = (),
    resume: bool = False,
    draw: Callable[[Trained], None] | None = None,
) -> Trained:
    """Train and test; write everything into `directory`, or `resume` what stands there.

    The run has finished when `draw` has made its pictures. Raises ConfigError or RunError, before
    anything is written, when the configuration does not fit the data or the machine, or the
    directory is taken.
    """
    table = parts.train.table
    image_shape = arranged_shape(table.image_shape, settings.data)
    check(settings, image_shape, len(table.classes))
    parts.require_rows(settings.accelerator.devices)
    device.require(settings.accelerator.name, settings.accelerator.devices)
    network = build_network(
        settings.model,
        image_shape,
        len(table.classes),
        stream_seed(settings.seed, "weights"),
    )
    with (
        interruptible() as interruption,
        recorded(directory, settings, overrides, resume) as run,
        isolate_rng(),
        device.threads(settings.accelerator.threads),
    ):
        log.info(describe_network(network, settings.model, image_shape, len(table.classes)))
        for finding in findings(parts):
            log.warning("data: %s", finding)
        classifier = build_classifier(network, parts, settings)
        recorder = EpochRecorder(run, settings.logger.name is schema.LoggerName.tensorboard)
        trainer = build_trainer(settings, run, recorder, bool(len(parts.val)), interruption)
        if leads():
            add_to_manifest(run, **facts(parts, trainer, settings))
        fit(trainer, classifier, parts, settings, run if resume else None)
        load_weights(classifier, chosen_checkpoint(trainer, run, settings.weights))
        metrics = {
            "train/loss": recorder.rows[-1]["train/loss"],
            **validation_metrics(trainer, classifier, parts, settings),
        }
        evaluation = evaluate_part(trainer, classifier, parts.test, settings.batch_size)
        metrics |= evaluation.metrics
        trained = Trained(metrics, run.path, classifier, settings, parts, evaluation)
        if leads():
            write_results(evaluation, metrics, run.path)
            add_to_manifest(run, **outcome(classifier, evaluation))
            if draw is not None:
                draw(trained)
    return trained


@contextmanager
def recorded(
    directory: Path, settings: schema.Train, overrides: Sequence[str], resume: bool
) -> Iterator[RunDirectory]:
    """Claim the directory and keep log and state; of several processes only the first does."""
    if not leads():
        yield RunDirectory(directory)
        return
    run = claim_again(directory) if resume else claim(directory, settings, overrides)
    try:
        with (
            locked(run),
            run_log.file(run.log),
            surroundings_told(run, settings.batch_size),
            state_recorded(run),
        ):
            if resume:
                times = run.read_manifest().get("resumed", [])
                add_to_manifest(run, state="running", resumed=[*times, now()])
            yield run
    except Interrupted:
        sweep = run.path.parent
        whole = sweep if (sweep / SWEEP_FILE).exists() else run.path
        log.warning("interrupted; to go on: python scripts/resume.py %s", quote(f"run={whole}"))
        raise


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
        Arrangement(settings.data, parts.train.table.image_shape),
    )


def facts(parts: Parts, trainer: Trainer, settings: schema.Train) -> dict[str, object]:
    """What evaluation, a repetition and a reader need to know of data, code and machine."""
    table = parts.train.table
    return {
        "data": {
            "image_shape": list(table.image_shape),
            "label_values": table.label_values,
            "classes": table.classes,
            "rows": {"train": len(parts.train), "val": len(parts.val), "test": len(parts.test)},
            **provenance.data_hashes(parts),
        },
        "code": provenance.code_hashes(settings.model),
        "git": provenance.git_state(),
        "versions": provenance.versions(),
        "machine": provenance.machine(),
        "accelerator": trainer.strategy.root_device.type,
        "threads": torch.get_num_threads(),
    }


def outcome(classifier: Classifier, evaluation: Evaluation) -> dict[str, object]:
    """What a repetition must come to."""
    return {
        "weights_sha256": provenance.weights_sha256(classifier.network.state_dict()),
        "predictions_sha256": provenance.arrays_sha256(evaluation.probabilities),
    }


def fit(
    trainer: Trainer,
    classifier: Classifier,
    parts: Parts,
    settings: schema.Train,
    resumed: RunDirectory | None,
) -> None:
    """Fit the classifier, from the newest checkpoint of a resumed run."""
    data = CSVDataModule(parts, settings.batch_size, stream_seed(settings.seed, "batches"))
    seed_global_streams(settings.seed)
    checkpoint = None if resumed is None else newest_checkpoint(resumed)
    if resumed is not None:
        log.info("going on from %s", checkpoint or "the beginning: nothing was saved")
    if checkpoint is not None:
        # Lightning would tell of a network that is another with a traceback.
        load_weights(classifier, checkpoint)
    trainer.fit(classifier, data, ckpt_path=checkpoint, weights_only=True)


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

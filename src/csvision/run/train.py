"""Train a prepared run, test it, and write its run directory."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from lightning import Callback, Trainer

from csvision.callbacks.checkpoint import CheckpointCallback
from csvision.callbacks.history import HistoryCallback
from csvision.classifier import Classifier
from csvision.config import schema
from csvision.config.monitor import monitor_mode
from csvision.data.data_warnings import data_warnings
from csvision.data.loader import BatchLoader, ShardInfo
from csvision.data.splits import Splits
from csvision.errors import RunError
from csvision.evaluation import (
    EVALUATION_SEED,
    EvalResult,
    evaluate_split,
    format_metrics,
    select_metrics,
    write_results,
)
from csvision.models.summary import summarize
from csvision.plots import save_confusion_matrix
from csvision.process_state import use_threads
from csvision.rng import isolate_rng, seeded_generators
from csvision.run import provenance
from csvision.run.build_classifier import build_classifier
from csvision.run.check_bf16 import check_bf16
from csvision.run.directory import RunDirectory
from csvision.run.fit import fit
from csvision.run.initial_weights import INIT_FROM, read_source
from csvision.run.launch_environment import hide_trainer_defaults, restore_launch_variables
from csvision.run.log import log
from csvision.run.prepare import PreparedRun
from csvision.run.recorded_splits import write_splits
from csvision.run.result_html import run_html
from csvision.run.run_context import config_for_checkpoints, run_context
from csvision.run.swept_overrides import swept_overrides
from csvision.run.tested_weights import load_tested, train_metrics
from csvision.run.threads import choose_num_threads, limit_threads
from csvision.run.trainer import build_trainer, end_process_group
from csvision.signals import SignalState, handle_signals
from csvision.tensorboard import log_to_tensorboard


@dataclass(frozen=True)
class TrainResult:
    """A finished run: its final metrics, its directory, and the classifier that was tested.

    `is_global_zero` is false in all but one of the processes of a distributed run.
    """

    metrics: dict[str, float]
    directory: Path
    classifier: Classifier = field(repr=False)
    config: schema.TrainConfig = field(repr=False)
    splits: Splits = field(repr=False)
    evaluation: EvalResult = field(repr=False)
    is_global_zero: bool = field(default=True, repr=False)

    def _repr_html_(self) -> str:
        """Return what a notebook shows."""
        return run_html(self.directory, self.metrics)


def train(
    prepared: PreparedRun,
    directory: Path,
    overrides: Sequence[str] = (),
    resume: bool = False,
    callbacks: Sequence[Callback] = (),
) -> TrainResult:
    """Train and test; write everything into `directory`, or resume the run in it.

    Raises RunError if the directory cannot be used, DivergedError if the loss is not finite, and
    what `callbacks` raise, which are called after csvision's own.
    """
    config = prepared.config
    run_dir = RunDirectory(directory)
    use_threads()
    # Lightning, too, changes the number of threads if there are several processes.
    with (
        handle_signals() as signals,
        isolate_rng(),
        limit_threads(config.accelerator.num_threads),
        restore_launch_variables(),
        hide_trainer_defaults(),
        end_process_group(),
    ):
        history = build_history(run_dir, config)
        checkpoints = build_checkpoints(run_dir, prepared, resume)
        trainer = build_trainer(config, run_dir, history, checkpoints, signals, callbacks)
        with run_context(run_dir, config, overrides, resume, trainer.is_global_zero):
            classifier = build_for_trainer(prepared, signals, trainer)
            report_start(prepared, classifier)
            if trainer.is_global_zero:
                device = trainer.strategy.root_device.type
                record_start(run_dir, prepared, classifier, device)
            fit(trainer, classifier, prepared, run_dir if resume else None)
            epoch = load_tested(classifier, trainer, run_dir, config)
            # Before the test, which changes the buffers of some custom networks.
            weights_sha256 = provenance.weights_sha256(classifier.network.state_dict())
            evaluation = evaluate_split(
                trainer, classifier, prepared.splits.test, config.batch_size
            )
            metrics = {
                **train_metrics(history, epoch),
                **evaluate_val(trainer, classifier, prepared),
                **evaluation.metrics,
            }
            if trainer.is_global_zero:
                hashes = provenance.result_hashes(weights_sha256, evaluation.probabilities)
                run_dir.update_manifest(**hashes)
                write_outputs(run_dir, config, metrics, evaluation, classifier)
            log.info(format_metrics(metrics))
    return TrainResult(
        metrics,
        run_dir.path,
        classifier,
        config,
        prepared.splits,
        evaluation,
        trainer.is_global_zero,
    )


def build_for_trainer(prepared: PreparedRun, signals: SignalState, trainer: Trainer) -> Classifier:
    """Set the number of threads and return the classifier; bfloat16 is checked on a CPU."""
    config = prepared.config
    torch.set_num_threads(choose_num_threads(config, prepared.image_shape, prepared.num_classes))
    classifier = build_classifier(prepared, signals, trainer.global_rank)
    if uses_bf16_on_cpu(trainer):
        check_bf16(classifier, prepared.splits.train, config.batch_size)
    return classifier


def uses_bf16_on_cpu(trainer: Trainer) -> bool:
    """Return whether a Trainer computes in bfloat16 on a CPU."""
    return trainer.precision == "bf16-mixed" and trainer.strategy.root_device.type == "cpu"


def build_history(run_dir: RunDirectory, config: schema.TrainConfig) -> HistoryCallback:
    """Return the callback that writes history.csv and, with logger=tensorboard, the curves."""
    use_tensorboard = config.logger.name is schema.LoggerName.tensorboard
    return HistoryCallback(run_dir.history, run_dir.path if use_tensorboard else None)


def build_checkpoints(
    run_dir: RunDirectory, prepared: PreparedRun, resume: bool
) -> CheckpointCallback:
    """Return the callback that writes the checkpoints of a run."""
    config = prepared.config
    return CheckpointCallback(
        run_dir.checkpoints,
        config_for_checkpoints(run_dir, config, resume),
        config.checkpoint_interval_seconds,
        has_val=bool(len(prepared.splits.val)),
        monitor=config.monitor,
        mode=monitor_mode(config),
    )


def record_start(
    run_dir: RunDirectory, prepared: PreparedRun, classifier: Classifier, device: str
) -> None:
    """Record the rows of the splits and what the run depends on; `device` is torch's name.

    A resumed run keeps the records of its data and of its initial weights: the file may have
    additional rows since, and `classifier` has initial weights of this version of torch.
    """
    manifest = run_dir.read_manifest()
    recorded = manifest.get("data")
    if recorded is None or not run_dir.splits.exists():
        write_splits(run_dir.splits, prepared.splits)
    metadata = provenance.run_metadata(prepared.config, prepared.splits, device)
    if recorded is None:
        weights = provenance.weights_sha256(classifier.network.state_dict())
        metadata["initial_weights_sha256"] = weights
    run_dir.update_manifest(
        **metadata | {"data": recorded or metadata["data"]} | initial_weights(run_dir, prepared)
    )


def initial_weights(run_dir: RunDirectory, prepared: PreparedRun) -> dict[str, Any]:
    """Return the entry of run.json about the weights that training starts from.

    Raises RunError if a run that is started again would start from others.
    """
    path = prepared.config.init_from
    if path is None:
        return {}
    record = read_source(path).record
    recorded = run_dir.read_manifest().get(INIT_FROM, record)
    if recorded["sha256"] != record["sha256"]:
        raise RunError(f"init_from={path} has changed since the run was started; train again")
    return {INIT_FROM: record}


def write_outputs(
    run_dir: RunDirectory,
    config: schema.TrainConfig,
    metrics: dict[str, float],
    evaluation: EvalResult,
    classifier: Classifier,
) -> None:
    """Write the results of a run: tables, the plot and TensorBoard figures."""
    write_results(evaluation, metrics, run_dir.path)
    save_confusion_matrix(evaluation, run_dir.path)
    if config.logger.name is schema.LoggerName.tensorboard:
        swept = swept_overrides(run_dir)
        log_to_tensorboard(run_dir.path, config, metrics, evaluation, classifier, swept)


def report_start(prepared: PreparedRun, classifier: Classifier) -> None:
    """Log the layer table, how the data were read, and the warnings about them."""
    model, shape = prepared.config.model, prepared.image_shape
    log.info(summarize(classifier.network, model, shape, prepared.num_classes))
    for table in prepared.splits.tables:
        if table.notices:
            log.info("data: %s", "; ".join(table.notices))
    for warning in data_warnings(prepared.splits):
        log.warning("data: %s", warning)


def evaluate_val(
    trainer: Trainer, classifier: Classifier, prepared: PreparedRun
) -> dict[str, float]:
    """Return the validation metrics of the weights to test; empty without a validation split."""
    val = prepared.splits.val
    if not len(val):
        return {}
    shard = ShardInfo.from_trainer(trainer)
    loader = BatchLoader(val, prepared.config.batch_size, shard=shard)
    with seeded_generators(EVALUATION_SEED):
        trainer.validate(classifier, loader, verbose=False)
    return select_metrics(trainer.callback_metrics, "val/")

"""Train a prepared run, test it, and write its run directory."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import torch
from lightning import Trainer

from csvision.augmentation import Augmentation
from csvision.callbacks.checkpoint import CheckpointCallback
from csvision.callbacks.history import HistoryCallback
from csvision.classifier import Classifier
from csvision.command_hints import resume_command
from csvision.config import schema
from csvision.config.serialize import config_to_dict
from csvision.data.channel_stats import channel_stats
from csvision.data.loader import BatchLoader, ShardInfo
from csvision.data.quality import data_warnings
from csvision.data.splits import Splits
from csvision.evaluation import (
    EVALUATION_SEED,
    EvalResult,
    evaluate_split,
    format_metrics,
    select_metrics,
    write_results,
)
from csvision.files import iso_time
from csvision.grouped_classifier import GroupedClassifier
from csvision.models.build import build_model
from csvision.models.summary import summarize
from csvision.models.user_code import refuse_exit
from csvision.plots import save_confusion_matrix
from csvision.process import use_threads
from csvision.rng import derive_process_seed, derive_seed, isolate_rng, seeded_generators
from csvision.run import provenance
from csvision.run.checkpoints import load_weights
from csvision.run.device import choose_num_threads, limit_threads
from csvision.run.directory import (
    RunDirectory,
    custom_model_path,
    is_sweep,
    with_absolute_paths,
)
from csvision.run.fit import fit
from csvision.run.launch_environment import hide_trainer_defaults, restore_launch_variables
from csvision.run.log import disable_log, log, log_to_file
from csvision.run.prepare import PreparedRun
from csvision.run.recorded_splits import write_splits
from csvision.run.system_errors import translate_system_errors
from csvision.run.trainer import build_trainer
from csvision.signals import RunInterrupted, SignalState, handle_signals
from csvision.tensorboard import log_to_tensorboard
from csvision.transforms import PadAndPermute


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


def train(
    prepared: PreparedRun, directory: Path, overrides: Sequence[str] = (), resume: bool = False
) -> TrainResult:
    """Train and test; write everything into `directory`, or resume the run in it.

    Raises RunError if the directory cannot be used, and DivergedError if the loss is not finite.
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
    ):
        use_tensorboard = config.logger.name is schema.LoggerName.tensorboard
        history = HistoryCallback(run_dir.history, run_dir.path if use_tensorboard else None)
        checkpoints = CheckpointCallback(
            run_dir.checkpoints,
            config_for_checkpoints(run_dir, config, resume),
            config.checkpoint_interval_seconds,
            has_val=bool(len(prepared.splits.val)),
        )
        trainer = build_trainer(config, run_dir, history, checkpoints, signals)
        with run_context(run_dir, config, overrides, resume, trainer.is_global_zero):
            torch.set_num_threads(choose_num_threads(config.accelerator))
            classifier = build_classifier(prepared, signals, trainer.global_rank)
            report_start(prepared, classifier)
            if trainer.is_global_zero:
                record_start(run_dir, prepared, trainer.strategy.root_device.type)
            fit(trainer, classifier, prepared, run_dir if resume else None)
            load_weights(classifier, select_checkpoint(trainer, run_dir, config.test_checkpoint))
            evaluation = evaluate_split(
                trainer, classifier, prepared.splits.test, config.batch_size
            )
            # With test_checkpoint=best, only train/ is that of the last epoch.
            metrics = {
                **select_metrics(history.rows[-1], "train/"),
                **evaluate_val(trainer, classifier, prepared),
                **evaluation.metrics,
            }
            if trainer.is_global_zero:
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


def record_start(run_dir: RunDirectory, prepared: PreparedRun, device: str) -> None:
    """Record the rows of the splits and what the run depends on; `device` is torch's name.

    A resumed run keeps the record of its data: the file may have additional rows since.
    """
    recorded = run_dir.read_manifest().get("data")
    if recorded is None or not run_dir.splits.exists():
        write_splits(run_dir.splits, prepared.splits)
    metadata = provenance.run_metadata(prepared.config, prepared.splits, device)
    run_dir.update_manifest(**metadata | {"data": recorded or metadata["data"]})


def write_outputs(
    run_dir: RunDirectory,
    config: schema.TrainConfig,
    metrics: dict[str, float],
    evaluation: EvalResult,
    classifier: Classifier,
) -> None:
    """Write the results of a run: tables, hashes, the plot and TensorBoard figures."""
    write_results(evaluation, metrics, run_dir.path)
    weights = classifier.network.state_dict()
    run_dir.update_manifest(**provenance.result_hashes(weights, evaluation.probabilities))
    save_confusion_matrix(evaluation, run_dir.path)
    if config.logger.name is schema.LoggerName.tensorboard:
        log_to_tensorboard(run_dir.path, config, metrics, evaluation, classifier)


def config_for_checkpoints(
    run_dir: RunDirectory, config: schema.TrainConfig, resume: bool
) -> dict[str, Any]:
    """Return the configuration as in run.json, to be stored in checkpoints."""
    if resume:
        return dict(run_dir.read_manifest()["config"])
    return config_to_dict(with_absolute_paths(config))


@contextmanager
def run_context(
    run_dir: RunDirectory,
    config: schema.TrainConfig,
    overrides: Sequence[str],
    resume: bool,
    is_global_zero: bool,
) -> Iterator[None]:
    """Create or reopen the run directory, lock it, and keep its log and state.

    In distributed runs, only rank 0 writes to the directory; the other ranks log nothing.
    """
    if not is_global_zero:
        with disable_log():
            yield
        return
    if resume:
        RunDirectory.reopen(run_dir.path)
    else:
        RunDirectory.create(run_dir.path, config, overrides)
    try:
        with (
            run_dir.lock(),
            log_to_file(run_dir.log),
            translate_system_errors(run_dir, config.batch_size, config.model),
            run_dir.record_state(),
            refuse_exit(config.model),
        ):
            if resume:
                times = run_dir.read_manifest().get("resumed", [])
                run_dir.update_manifest(state="running", resumed=[*times, iso_time()])
            yield
    except RunInterrupted:
        if not is_sweep(run_dir.path.parent):
            log.warning(
                "interrupted; to resume: %s",
                resume_command(run_dir.path, custom_model_path(config)),
            )
        raise


def build_classifier(
    prepared: PreparedRun, signals: SignalState | None = None, rank: int = 0
) -> Classifier:
    """Return the classifier of a run with its initial weights; each rank augments differently.

    With `signals`, several batches are trained in each step of Lightning, until a signal arrives.
    Several processes, or a gradient scaler, need a step for each batch.
    """
    config, train = prepared.config, prepared.splits.train
    network = build_model(
        config.model,
        prepared.image_shape,
        prepared.num_classes,
        derive_seed(config.seed, "weights"),
    )
    channels = train.table.image_shape[0]
    mean, std = [0.0] * channels, [1.0] * channels
    if config.data.normalize:
        mean, std = channel_stats(train)
    accelerator = config.accelerator
    build: Callable[..., Classifier] = Classifier
    if signals and accelerator.devices == 1 and accelerator.precision != "16-mixed":
        build = partial(GroupedClassifier, is_interrupted=lambda: signals.pending is not None)
    return build(
        network,
        train.table.classes,
        config.optimizer,
        config.scheduler,
        Augmentation(config.augmentation, derive_process_seed(config.seed, "augmentation", rank)),
        mean,
        std,
        PadAndPermute(config.data, train.table.image_shape),
    )


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


def select_checkpoint(trainer: Trainer, run_dir: RunDirectory, name: schema.CheckpointName) -> Path:
    """Return the checkpoint to test, as chosen by rank 0."""
    path = str(run_dir.checkpoint(name)) if trainer.is_global_zero else ""
    return Path(trainer.strategy.broadcast(path))

"""Fit a prepared baseline, test it, and write its run directory."""

import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from csvision.baselines.estimators import build_estimator
from csvision.baselines.fitted import FittedBaseline, flatten, pixel_values
from csvision.baselines.prepare import PreparedBaseline, slow_warning
from csvision.baselines.results import evaluate_subset, run_metrics, write_run
from csvision.baselines.store import estimator_sha256, save_baseline
from csvision.config.baseline_schema import BaselineConfig
from csvision.data.channel_stats import channel_stats
from csvision.data.data_warnings import data_warnings
from csvision.data.splits import Splits
from csvision.errors import RunError
from csvision.evaluation import EvalResult, format_metrics
from csvision.files import iso_time
from csvision.process_state import use_threads
from csvision.rng import isolate_rng
from csvision.run import provenance
from csvision.run.directory import RunDirectory
from csvision.run.log import log, log_to_file
from csvision.run.recorded_splits import write_splits
from csvision.run.resume_hint import report_interruption
from csvision.run.system_errors import disk_error
from csvision.signals import handle_signals


@dataclass(frozen=True)
class BaselineResult:
    """A finished baseline: its final metrics, its directory, and what was fitted and tested."""

    metrics: dict[str, float]
    directory: Path
    baseline: FittedBaseline = field(repr=False)
    config: BaselineConfig = field(repr=False)
    splits: Splits = field(repr=False)
    evaluation: EvalResult = field(repr=False)


def fit_baseline(
    prepared: PreparedBaseline,
    directory: Path,
    overrides: Sequence[str] = (),
    resume: bool = False,
) -> BaselineResult:
    """Fit and test; write everything into `directory`, or again into that of an unfinished run.

    Raises RunError if the directory cannot be used.
    """
    config, splits, run_dir = prepared.config, prepared.splits, RunDirectory(directory)
    use_threads()
    with handle_signals(), isolate_rng(), baseline_context(run_dir, config, overrides, resume):
        report_start(prepared)
        record_start(run_dir, prepared)
        fitted = fit(config, splits)
        save_baseline(run_dir.path, fitted)
        evaluation = evaluate_subset(fitted, splits.test)
        metrics = run_metrics(fitted, splits.train, splits.val) | evaluation.metrics
        # Without probabilities, the predictions are what a reproduction must match.
        known = fitted.has_probabilities
        output = evaluation.probabilities if known else evaluation.predictions
        run_dir.update_manifest(
            weights_sha256=estimator_sha256(fitted.estimator),
            predictions_sha256=provenance.arrays_sha256(output),
        )
        write_run(run_dir, config, metrics, evaluation)
        log.info(format_metrics(metrics))
    return BaselineResult(metrics, run_dir.path, fitted, config, splits, evaluation)


def fit(config: BaselineConfig, splits: Splits) -> FittedBaseline:
    """Return the configured estimator, fitted to the training split."""
    train = splits.train
    shape, channels = train.table.image_shape, train.table.image_shape[0]
    mean, std = [0.0] * channels, [1.0] * channels
    if config.data.normalize:
        mean, std = channel_stats(train)
    values = pixel_values(config.data, shape, train.table.classes, mean, std)
    estimator = build_estimator(config.baseline, config.seed)
    inputs = flatten(values, train.table.images[train.indices])
    with warnings.catch_warnings():
        # Pixels that are constant in a class do not matter for the distances to its mean.
        warnings.filterwarnings("ignore", "self.within_class_std_dev_ has", UserWarning)
        estimator.fit(inputs, train.labels)
    return FittedBaseline(estimator, values)


def report_start(prepared: PreparedBaseline) -> None:
    """Log what is fitted, how the data were read, and the warnings about them."""
    rows = len(prepared.splits.train)
    if warning := slow_warning(prepared.config, rows):
        log.warning("%s", warning)
    for table in prepared.splits.tables:
        if table.notices:
            log.info("data: %s", "; ".join(table.notices))
    for warning in data_warnings(prepared.splits):
        log.warning("data: %s", warning)
    log.info("fitting %s to %d rows", prepared.config.baseline.name, rows)


def record_start(run_dir: RunDirectory, prepared: PreparedBaseline) -> None:
    """Record the rows of the splits and what the run depends on."""
    recorded = run_dir.read_manifest().get("data")
    if recorded is None or not run_dir.splits.exists():
        write_splits(run_dir.splits, prepared.splits)
    metadata = provenance.run_metadata(prepared.config, prepared.splits, "cpu")
    run_dir.update_manifest(**metadata | {"data": recorded or metadata["data"]})


@contextmanager
def baseline_context(
    run_dir: RunDirectory, config: BaselineConfig, overrides: Sequence[str], resume: bool
) -> Iterator[None]:
    """Create or reopen the run directory, lock it, and keep its log and state."""
    if resume:
        RunDirectory.reopen(run_dir.path)
    else:
        RunDirectory.create(run_dir.path, config, overrides)
    with (
        report_interruption(run_dir, config),
        run_dir.lock(),
        log_to_file(run_dir.log),
        translate_errors(run_dir, config),
        run_dir.record_state(),
    ):
        if resume:
            times = run_dir.read_manifest().get("resumed", [])
            run_dir.update_manifest(state="running", resumed=[*times, iso_time()])
        yield


@contextmanager
def translate_errors(run_dir: RunDirectory, config: BaselineConfig) -> Iterator[None]:
    """Convert errors of the run's disk, and of memory, to RunError."""
    try:
        yield
    except OSError as error:
        if message := disk_error(error, run_dir, config.model):
            raise RunError(message) from error
        raise
    except MemoryError as error:
        raise RunError(
            f"baseline={config.baseline.name} does not fit into memory with these rows; "
            "write debug.limit_rows=NUMBER"
        ) from error

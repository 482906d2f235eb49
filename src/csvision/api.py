"""The commands as Python functions; each takes overrides, or a configuration.

Calls from several threads run one after another.
"""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from csvision.classifier import Classifier
from csvision.config import command_schema, schema
from csvision.config.compose import load_config
from csvision.config.groups import COMMAND_SCHEMAS
from csvision.config.lr_find_schema import LRFindConfig
from csvision.config.quoting import quote_override
from csvision.config.validate import validate
from csvision.data.table import ImageTable
from csvision.data_report import report_data
from csvision.errors import ConfigError, first_line
from csvision.evaluation import EvalResult, classification_report, format_metrics
from csvision.files import timestamp
from csvision.plots import save_confusion_matrix
from csvision.process import exclusive
from csvision.run.damaged_jobs import find_damage, set_aside
from csvision.run.directory import (
    RunDirectory,
    default_run_dir,
    default_sweep_dir,
    is_search,
)
from csvision.run.evaluate import evaluate as evaluate_run
from csvision.run.extend import extend_config, record_extension
from csvision.run.find_lr import LRFindResult
from csvision.run.find_lr import find_lr as run_range_test
from csvision.run.load import load as load_run
from csvision.run.loaded_run import read_for_run
from csvision.run.log import log, log_to_console
from csvision.run.predict import predict as predict_file
from csvision.run.prepare import prepare_run
from csvision.run.reproduce import Comparison, check_finished, compare
from csvision.run.resume import prepare_again, resume_config, warn_if_code_changed
from csvision.run.sweep_jobs import SweepJob, lock_sweep, read_sweep
from csvision.run.sweep_table import summarize_sweep
from csvision.run.train import TrainResult
from csvision.run.train import train as train_prepared
from csvision.search.installed import check_optuna

if TYPE_CHECKING:
    from csvision.search.report import SearchReport


@exclusive()
def train(*overrides: str | schema.TrainConfig) -> TrainResult:
    """Train a network as `csvision train OVERRIDES` does.

    Takes overrides such as "model=cnn", or a single TrainConfig instead. Raises UserError for what
    the command refuses, and DivergedError if the loss becomes NaN or infinite.
    """
    config: schema.TrainConfig = resolve_config("train", overrides)
    arguments = [override for override in overrides if isinstance(override, str)]
    with log_to_console(config.quiet):
        return train_prepared(prepare_run(config), default_run_dir(config), arguments)


@exclusive()
def run_search(*overrides: str, directory: str | Path | None = None) -> "SearchReport":
    """Search hyperparameters as `csvision train -m search=optuna OVERRIDES` does.

    At least one key has several values, as in "model=mlp,cnn" or "optimizer.lr=interval(1e-4,0.1)".
    `directory` is that of a new search (default: a new one in output_dir). Raises UserError for
    what the command refuses, and WorkerError if a worker process ends before the search.
    """
    check_optuna()
    from csvision.search.create import create_search, define_search, parse_words
    from csvision.search.run_search import run_search as run

    settings, parsed, output_dir = parse_words(overrides)
    definition, paths = define_search(settings, parsed)
    folder = default_sweep_dir(output_dir) if directory is None else Path(directory)
    create_search(folder.absolute(), definition)
    return run(folder.absolute(), paths)


@exclusive()
def search_report(search: str | Path) -> "SearchReport":
    """Return what a search, finished or running, has found; raises RunError for other folders.

    The report has the trials with states, values and parameters, the best one, and the importance
    of each key.
    """
    check_optuna()
    from csvision.search.report import search_report as report

    return report(search)


@exclusive()
def find_lr(*overrides: str | LRFindConfig) -> LRFindResult:
    """Find a learning rate as `csvision lr-find OVERRIDES` does.

    Takes overrides such as "model=cnn", or a single LRFindConfig instead. Raises UserError for what
    the command refuses.
    """
    config: LRFindConfig = resolve_config("lr_find", overrides)
    with log_to_console(config.quiet):
        return run_range_test(config, prepare_run(config))


@exclusive()
def resume(
    run: str | Path | TrainResult, model_path: str | None = None, epochs: int | None = None
) -> TrainResult:
    """Resume an interrupted run as `csvision resume run=RUN` does.

    With `epochs`, an interrupted or finished run is trained until it has that many. Raises RunError
    if there is no such run, it has finished, its data have changed, or its schedule allows no more
    epochs.
    """
    run_dir = RunDirectory.reopen(run_path(run)) if epochs is None else RunDirectory(run_path(run))
    config = resume_config(run_dir, model_path)
    if epochs is not None:
        config = extend_config(run_dir, config, epochs)
    with log_to_console(config.quiet):
        warn_if_code_changed(run_dir, config)
        prepared = prepare_again(run_dir, config)
        if epochs is not None:
            record_extension(run_dir, config)
        return train_prepared(prepared, run_dir.path, resume=True)


@exclusive()
def resume_sweep(sweep: str | Path, model_path: str | None = None) -> bool:
    """Resume an interrupted sweep; return whether all of its jobs have finished.

    Finished jobs are kept, failed and interrupted ones are resumed, missing ones are started.
    Damaged ones are moved to SWEEP/damaged/ and started again. Raises RunError if this is not a
    sweep, or if it is running. A search runs the trials that it lacks.
    """
    folder = Path(sweep)
    if is_search(folder):
        return resume_search(folder, model_path)
    with lock_sweep(folder):
        jobs = read_sweep(folder, model_path)
        succeeded = [resume_job(folder, number, job, model_path) for number, job in enumerate(jobs)]
        return summarize_sweep(folder) and all(succeeded)


def resume_search(folder: Path, model_path: str | None) -> bool:
    """Run the trials that a search lacks; return whether a trial has finished."""
    check_optuna()
    from csvision.search.definition import UserPaths
    from csvision.search.run_search import run_search as run

    return run(folder, UserPaths(model_path)).best is not None


def resume_job(folder: Path, number: int, job: SweepJob, model_path: str | None) -> bool:
    """Resume or start a job of a sweep, unless it has finished; return whether that succeeded."""
    run_dir = RunDirectory(job.directory)
    try:
        if damage := find_damage(run_dir):
            moved = set_aside(folder, run_dir)
            log.warning("job %s starts again: %s; moved to %s", number, damage, moved)
        if job.finished:
            return True
        print(f"\njob {number}: {' '.join(job.overrides)}")
        if job.started:
            resume(job.directory, model_path)
        else:
            with log_to_console(job.config.quiet):
                prepared = prepare_run(job.config, directory=job.directory)
                train_prepared(prepared, job.directory, job.overrides)
    except Exception as error:
        # The other jobs still run; the traceback is in train.log of this job.
        log.error("job %s failed: %s", number, first_line(error))
        return False
    return True


@exclusive()
def reproduce(run: str | Path | TrainResult, model_path: str | None = None) -> Comparison:
    """Train a finished run again and compare, as `csvision reproduce run=RUN` does.

    Raises RunError if the run has not finished.
    """
    run_dir = RunDirectory(run_path(run))
    check_finished(run_dir)
    config = resume_config(run_dir, model_path)
    config = replace(config, logger=replace(config.logger, name=schema.LoggerName.none))
    with log_to_console():
        prepared = prepare_again(run_dir, config)
        path = train_prepared(prepared, run_dir.reproductions / timestamp()).directory
        comparison = compare(run_dir, RunDirectory(path), config.test_checkpoint)
        for line in comparison.differences:
            log.info(line)
        log.info("bitwise identical" if comparison.equal else "not identical")
    return comparison


@exclusive()
def load(
    run: str | Path | TrainResult, model_path: str | None = None, check_weights: bool = True
) -> Classifier:
    """Return the trained classifier of a run, ready for `predict_proba(images)`.

    A run with model=custom needs its code again: `model_path="my_net.py:MyNet"`. With
    `check_weights`, raises RunError if the weights of a finished run have changed.
    """
    return load_run(run_path(run), model_path, check_weights)


@exclusive()
def read(run: str | Path | TrainResult, csv: str | Path, *overrides: str) -> ImageTable:
    """Return the images of a file as the network of a run expects them, for `predict_proba`.

    Columns, classes and the range of the pixels are those of the run, unless `overrides` as of
    `predict`, such as "data.pixel_range=16", give others. The file may have no labels; the label
    indices are those of the classes of the run.
    """
    words = (f"data.csv={quote_override(str(csv))}", *overrides)
    config: command_schema.PredictConfig = resolve_run_config("predict", run, words)
    return read_for_run(RunDirectory(Path(config.run)), config.data)


@exclusive()
def evaluate(
    run: str | Path | TrainResult | command_schema.EvaluateConfig, *overrides: str
) -> EvalResult:
    """Test a run as `csvision evaluate run=RUN OVERRIDES` does; the result has its `directory`.

    Takes a run directory and overrides, or a single EvaluateConfig instead.
    """
    config: command_schema.EvaluateConfig = resolve_run_config("evaluate", run, overrides)
    with log_to_console(config.quiet):
        result, folder = evaluate_run(config)
        save_confusion_matrix(result, folder)
        report = classification_report(result)
        log.info(report.to_string(index=False, float_format="{:.4f}".format))
        log.info(format_metrics(result.metrics))
    return replace(result, directory=folder)


@exclusive()
def predict(
    run: str | Path | TrainResult | command_schema.PredictConfig,
    csv: str | Path | None = None,
    *overrides: str,
) -> pd.DataFrame:
    """Predict the labels of a file as `csvision predict run=RUN data.csv=CSV OVERRIDES` does.

    Takes a run directory, a file and overrides, or a single PredictConfig instead. The path of the
    written file is in `attrs["path"]` of the result.
    """
    files = [] if csv is None else [f"data.csv={quote_override(str(csv))}"]
    config: command_schema.PredictConfig = resolve_run_config("predict", run, (*files, *overrides))
    with log_to_console(config.quiet):
        predictions, path = predict_file(config)
        log.info("%d rows", len(predictions))
    predictions.attrs["path"] = path
    return predictions


@exclusive()
def inspect_data(*overrides: str | command_schema.InspectDataConfig) -> Path:
    """Print a report on a data set as `csvision inspect-data OVERRIDES` does.

    Returns the path of the figure of sample images.
    """
    report, path = report_data(resolve_config("inspect_data", overrides))
    print(report)
    return path


def resolve_config(command: str, overrides: Sequence[Any]) -> Any:
    """Return the validated configuration of a command.

    `overrides` are strings, from which it is composed, or the configuration itself. Raises
    ConfigError for other values.
    """
    if len(overrides) == 1 and isinstance(overrides[0], COMMAND_SCHEMAS[command]):
        validate(overrides[0])
        return overrides[0]
    others = [type(override).__name__ for override in overrides if not isinstance(override, str)]
    if others:
        schema_name = COMMAND_SCHEMAS[command].__name__
        raise ConfigError(
            f"{command} takes strings KEY=VALUE or a single {schema_name}, not {', '.join(others)}"
        )
    return load_config(command, overrides)


def resolve_run_config(command: str, run: Any, overrides: Sequence[str]) -> Any:
    """Return the configuration of a command on a run; paths are taken literally."""
    if isinstance(run, str | Path | TrainResult):
        return resolve_config(command, [f"run={quote_override(str(run_path(run)))}", *overrides])
    return resolve_config(command, [run])


def run_path(run: str | Path | TrainResult) -> Path:
    """Return the directory of a run, given as a path or by its result."""
    return run.directory if isinstance(run, TrainResult) else Path(run)

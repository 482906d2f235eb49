"""The commands as Python functions; each takes overrides, or a configuration.

Calls from several threads run one after another.
"""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Unpack

from csvision.arguments import AnyRun, resolve_config, resolve_run_config, run_path
from csvision.arithmetic.explain import explain as explain_config
from csvision.arithmetic.explanation import Explanation
from csvision.baselines import reuse
from csvision.classifier import Classifier
from csvision.config import command_schema, explain_schema, schema
from csvision.config.quoting import quote_override
from csvision.data.table import ImageTable
from csvision.data_report import report_data
from csvision.evaluation import EvalResult, classification_report, format_metrics
from csvision.files import timestamp
from csvision.launch.available import check_single_run
from csvision.launch.resume_sweep import resume_sweep as resume_jobs
from csvision.launch.start_sweep import SweepResult, start_sweep
from csvision.plots import save_confusion_matrix
from csvision.process_state import exclusive
from csvision.run.code_paths import CodePaths, OtherCode
from csvision.run.directory import RunDirectory, default_run_dir
from csvision.run.evaluate import evaluate as evaluate_run
from csvision.run.load import load as load_run
from csvision.run.loaded_run import read_for_run
from csvision.run.log import log, log_to_console
from csvision.run.prepare import prepare_run
from csvision.run.reproduce import Comparison, check_finished, compare
from csvision.run.resume import prepare_again, resume_config, resume_run
from csvision.run.sweep_folder import is_search
from csvision.run.train import TrainResult
from csvision.run.train import train as train_prepared
from csvision.search_api import resume_search

if TYPE_CHECKING:
    from csvision.inspection.result import Inspection


@exclusive()
def train(
    *overrides: str | schema.TrainConfig, config_dir: str | Path | None = None
) -> TrainResult:
    """Train a network as `csvision train OVERRIDES` does.

    Takes overrides such as "model=cnn", or a single TrainConfig instead. `config_dir` is a folder
    with choices of your own, as --config-dir. Raises UserError for what the command refuses, and
    DivergedError if the loss becomes NaN or infinite.
    """
    config: schema.TrainConfig = resolve_config("train", overrides, config_dir)
    check_single_run(config.launcher)
    arguments = [override for override in overrides if isinstance(override, str)]
    with log_to_console(config.quiet):
        return train_prepared(prepare_run(config), default_run_dir(config), arguments)


@exclusive()
def sweep(
    *overrides: str, launcher: str | None = None, config_dir: str | Path | None = None
) -> SweepResult:
    """Train all combinations of values as `csvision train -m OVERRIDES` does.

    Returns the jobs, finished or not, and the table. `launcher` is that of the command:
    `sweep("model=mlp,cnn", "seed=0,1,2", launcher="local")`. Raises UserError if a job cannot work,
    before the first one starts.
    """
    chosen = [] if launcher is None else [f"launcher={launcher}"]
    return start_sweep([*overrides, *chosen], config_dir)


@exclusive()
def resume(
    run: AnyRun,
    model_path: str | None = None,
    epochs: int | None = None,
    **code: Unpack[OtherCode],
) -> TrainResult:
    """Resume an interrupted run as `csvision resume run=RUN` does.

    A run with code of your own needs its path again, such as `model_path="my_net.py:MyNet"` or
    `loss_path="my_loss.py:MyLoss"`.

    With `epochs`, an interrupted or finished run is trained until it has that many. Raises RunError
    if there is no such run, it has finished, its data have changed, or its schedule allows no more
    epochs.
    """
    run_dir = RunDirectory.reopen(run_path(run)) if epochs is None else RunDirectory(run_path(run))
    return resume_run(run_dir, model_path, epochs, **code)


@exclusive()
def resume_sweep(
    sweep: str | Path,
    model_path: str | None = None,
    overrides: Sequence[str] = (),
    **code: Unpack[OtherCode],
) -> bool:
    """Resume a sweep as `csvision resume run=SWEEP` does; return whether all jobs have finished.

    Finished jobs are kept, failed and interrupted ones are resumed, missing ones are started.
    Damaged ones are moved to SWEEP/damaged/ and started again. `overrides` choose another launcher,
    as "launcher=slurm", or add jobs, as "seed=0,1,2,3". A search runs the trials that it lacks.
    Raises RunError if this is not a sweep, or if it is running.
    """
    folder, paths = Path(sweep), CodePaths.of(model_path, **code)
    if is_search(folder):
        return resume_search(folder, paths)
    return resume_jobs(folder, paths, overrides)


@exclusive()
def reproduce(run: AnyRun, model_path: str | None = None, **code: Unpack[OtherCode]) -> Comparison:
    """Train a finished run again and compare, as `csvision reproduce run=RUN` does.

    Raises RunError if the run has not finished.
    """
    run_dir, paths = RunDirectory(run_path(run)), CodePaths.of(model_path, **code)
    check_finished(run_dir, paths)
    with log_to_console():
        if run_dir.is_baseline():
            comparison = reuse.reproduce(run_dir.path)
        else:
            comparison = reproduce_training(run_dir, paths)
        for line in comparison.differences:
            log.info(line)
        log.info("bitwise identical" if comparison.equal else "not identical")
    return comparison


def reproduce_training(run_dir: RunDirectory, paths: CodePaths) -> Comparison:
    """Train the network of a finished run again and compare."""
    config = resume_config(run_dir, paths)
    config = replace(config, logger=replace(config.logger, name=schema.LoggerName.none))
    prepared = prepare_again(run_dir, config)
    path = train_prepared(prepared, run_dir.reproductions / timestamp()).directory
    return compare(run_dir, RunDirectory(path), config.tested_checkpoint)


@exclusive()
def load(
    run: AnyRun,
    model_path: str | None = None,
    check_weights: bool = True,
    *,
    transform_path: str | None = None,
) -> Classifier:
    """Return the trained classifier of a run, ready for `predict_proba(images)`.

    A run with a network or transform of your own needs its code again, such as
    `model_path="my_net.py:MyNet"`. With `check_weights`, raises RunError if the weights of a
    finished run have changed.
    """
    return load_run(run_path(run), model_path, check_weights, transform_path)


@exclusive()
def read(run: AnyRun, csv: str | Path, *overrides: str) -> ImageTable:
    """Return the images of a file as the network of a run expects them, for `predict_proba`.

    Columns, classes and the range of the pixels are those of the run, unless `overrides` as of
    `predict`, such as "data.pixel_range=16", give others. The file may have no labels; the label
    indices are those of the classes of the run.
    """
    words = (f"data.csv={quote_override(str(csv))}", *overrides)
    config: command_schema.PredictConfig = resolve_run_config("predict", run, words)
    return read_for_run(RunDirectory(Path(config.run)), config.data)


@exclusive()
def evaluate(run: AnyRun | command_schema.EvaluateConfig, *overrides: str) -> EvalResult:
    """Test a run as `csvision evaluate run=RUN OVERRIDES` does; the result has its `directory`.

    Takes a run or a sweep and overrides, or a single EvaluateConfig instead. The runs of a sweep
    are tested as an ensemble.
    """
    config: command_schema.EvaluateConfig = resolve_run_config("evaluate", run, overrides)
    with log_to_console(config.quiet):
        is_baseline = RunDirectory(Path(config.run)).is_baseline()
        result, folder = (reuse.evaluate if is_baseline else evaluate_run)(config)
        save_confusion_matrix(result, folder)
        report = classification_report(result)
        log.info(report.to_string(index=False, float_format="{:.4f}".format))
        log.info(format_metrics(result.metrics))
    return replace(result, directory=folder)


@exclusive()
def inspect(run: AnyRun | command_schema.InspectConfig, *overrides: str) -> "Inspection":
    """Look inside a run as `csvision inspect run=RUN OVERRIDES` does; return what was found.

    Takes a run directory and overrides, or a single InspectConfig instead. The page is index.html
    in the `directory` of the result.
    """
    # Not at the top: no other command needs it.
    from csvision.inspection.inspect import inspect as inspect_run

    config: command_schema.InspectConfig = resolve_run_config("inspect", run, overrides)
    with log_to_console(config.quiet):
        return inspect_run(config)


def demo(run: AnyRun | command_schema.DemoConfig, *overrides: str) -> None:
    """Serve the page of a run as `csvision demo run=RUN OVERRIDES` does, until it is interrupted.

    Takes a run directory and overrides, or a single DemoConfig instead. Other calls need not wait.
    """
    # Not at the top: no other command needs it.
    from csvision.demo_server.run_demo import demo as run_demo

    config: command_schema.DemoConfig = resolve_run_config("demo", run, overrides)
    with log_to_console():
        run_demo(config)


@exclusive()
def explain(*overrides: str | explain_schema.ExplainConfig) -> Explanation:
    """Explain the layers of a network, or one filter, as `csvision explain OVERRIDES` does.

    Nothing is printed or written: the result has `to_text()`, `to_json()` and `to_svg()`, and
    notebooks show its picture.
    """
    return explain_config(resolve_config("explain", overrides))


@exclusive()
def inspect_data(*overrides: str | command_schema.InspectDataConfig) -> Path:
    """Print a report on a data set as `csvision inspect-data OVERRIDES` does.

    Returns the path of the figure of sample images.
    """
    report, path = report_data(resolve_config("inspect_data", overrides))
    print(report)
    return path

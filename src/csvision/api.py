"""csvision from Python: what the commands do, in one call each."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pandas as pd

from csvision import config, schema
from csvision.claims import catalogue
from csvision.claims.decide import decided
from csvision.claims.profile import FULL, PROFILES
from csvision.claims.record import ClaimRecord
from csvision.classifier import Classifier
from csvision.data.split import read_parts
from csvision.paths import quote_paths
from csvision.report.claims import publish
from csvision.report.run import draw_evaluation, draw_run
from csvision.run import evaluate as evaluation
from csvision.run import log as run_log
from csvision.run.directory import RunDirectory, leads, new_path
from csvision.run.log import log
from csvision.run.reproduce import Comparison, compare, require_finished
from csvision.run.results import Evaluation, class_table
from csvision.run.resume import parts_of, read_sweep, settings_of, tell_changes
from csvision.run.sweep import sum_up
from csvision.run.train import Trained
from csvision.run.train import train as run_training
from csvision.stamp import stamp


def train(*overrides: str) -> Trained:
    """Train as `python scripts/train.py OVERRIDES` does: metrics, run directory and classifier.

    Raises ConfigError, DataError or RunError for what the command refuses.
    """
    arguments = quote_paths(overrides)
    settings: schema.Train = config.load(config.compose("train", arguments))
    return train_configured(settings, new_path(settings), arguments)


def train_configured(
    settings: schema.Train, directory: Path, overrides: Sequence[str] = ()
) -> Trained:
    """Train, test and draw with a checked configuration, into a directory that holds no run yet."""
    with run_log.console(settings.quiet or not leads()):
        parts = read_parts(settings.data, settings.debug.rows)
        return told(run_training(settings, parts, directory, overrides, draw=draw_run))


def resume(run: str | Path, model_path: str | None = None) -> Trained:
    """Go on with an interrupted run as `python scripts/resume.py run=RUN` does.

    Raises RunError when there is none, it has finished, or its data are not what they were.
    """
    directory = RunDirectory(Path(run))
    settings = settings_of(directory, model_path)
    with run_log.console(settings.quiet or not leads()):
        tell_changes(directory, settings)
        parts = parts_of(directory, settings)
        trained = run_training(settings, parts, directory.path, resume=True, draw=draw_run)
        return told(trained)


def resume_sweep(sweep: str | Path, model_path: str | None = None) -> bool:
    """Go on with an interrupted sweep; whether all of its jobs have finished.

    Finished jobs stay, failed and interrupted ones go on, missing ones run. Raises RunError when
    this is no sweep.
    """
    failed = False
    for number, job in enumerate(read_sweep(Path(sweep), model_path)):
        if job.finished:
            continue
        print(f"\njob {number}: {' '.join(job.overrides)}")
        try:
            if job.begun:
                resume(job.folder, model_path)
            else:
                train_configured(job.settings, job.folder, job.overrides)
        except Exception as error:
            # The other jobs go on; the traceback is in this one's train.log.
            log.error("job %s failed: %s", number, error)
            failed = True
    return sum_up(Path(sweep)) and not failed


def reproduce(run: str | Path, model_path: str | None = None) -> Comparison:
    """Run a finished run again as `python scripts/reproduce.py run=RUN` does, and compare.

    Raises RunError for a run that has not finished.
    """
    directory = RunDirectory(Path(run))
    require_finished(directory)
    settings = settings_of(directory, model_path)
    settings = replace(settings, logger=replace(settings.logger, name=schema.LoggerName.none))
    with run_log.console():
        parts = read_parts(settings.data, settings.debug.rows)
        repetition = run_training(settings, parts, directory.reproductions / stamp()).directory
        result = compare(directory, RunDirectory(repetition), settings.weights)
        for line in result.differences:
            log.info(line)
        log.info("equal, bit by bit" if result.equal else "not equal")
    print(repetition)
    return result


def decide(*overrides: str) -> list[ClaimRecord]:
    """Decide the notes' claims as `python scripts/claims.py OVERRIDES` does: their records.

    Raises ConfigError for a claim that there is not.
    """
    settings: schema.Claims = config.load(config.compose("claims", quote_paths(overrides)))
    return decide_configured(settings)


def decide_configured(settings: schema.Claims) -> list[ClaimRecord]:
    """Measure, keep every record as soon as it is there, and make the page.

    The page, which is for evidence alone, comes from the full profile only.
    """
    names = catalogue.choose(settings.claim)
    profile = PROFILES[settings.profile].from_seed(settings.seed)
    folder = publish.results_folder(Path(settings.outputs), profile)
    claims = [catalogue.load(name) for name in names]
    records = []
    with run_log.console():
        if not profile.full:
            log.info("quick: shows that every part works; its verdicts are no evidence")
        try:
            for record in decided(claims, profile, folder.with_name("jobs"), settings.processes):
                publish.keep(record, folder, list(catalogue.files()))
                records.append(record)
        except KeyboardInterrupt:
            log.warning("what was finished is kept; the same command goes on from there")
            raise
        if settings.record:
            print(publish.record_in_project(records, Path()))
        elif profile == FULL:
            print(publish.write_page(folder))
        else:
            print(folder / publish.RECORDS)
    return records


def told(trained: Trained) -> Trained:
    """Say what a run came to and where it is."""
    if leads():
        log.info(describe_metrics(trained.metrics))
        print(trained.directory)
    return trained


def load(run: str | Path, model_path: str | None = None) -> Classifier:
    """The trained classifier of a run directory, ready for `probabilities(images)`.

    A run of model=custom needs its code named again: `model_path="my_net.py:MyNet"`.
    """
    return evaluation.load(Path(run), model_path)


def evaluate(run: str | Path, *overrides: str) -> Evaluation:
    """Test a run as `python scripts/evaluate.py run=RUN OVERRIDES` does."""
    return evaluate_configured(load_settings("evaluate", run, overrides))


def evaluate_configured(settings: schema.Evaluate) -> Evaluation:
    """Test a run, draw its confusion matrix and print its scores."""
    with run_log.console(settings.quiet):
        result, folder = evaluation.evaluate(settings)
        draw_evaluation(result, folder)
        log.info(class_table(result).to_string(index=False, float_format="{:.4f}".format))
        log.info(describe_metrics(result.metrics))
    print(folder)
    return result


def predict(run: str | Path, csv: str | Path, *overrides: str) -> pd.DataFrame:
    """Label a file as `python scripts/predict.py run=RUN data.csv=CSV OVERRIDES` does."""
    return predict_configured(load_settings("predict", run, overrides, str(csv)))


def predict_configured(settings: schema.Predict) -> pd.DataFrame:
    """Label the rows of a file and print where the table is."""
    with run_log.console(settings.quiet):
        result, path = evaluation.predict(settings)
        log.info("%d rows", len(result))
    print(path)
    return result


def load_settings(
    command: str, run: str | Path, overrides: Sequence[str], csv: str | None = None
) -> schema.Predict:
    """The checked settings of a command on a run; paths are taken as they are."""
    missing = [f"run={config.quoted(str(run))}"]
    if csv is not None:
        missing.append(f"data.csv={config.quoted(csv)}")
    arguments = [*missing, *quote_paths(overrides)]
    settings: schema.Predict = config.load(config.compose(command, arguments))
    return settings


def describe_metrics(metrics: dict[str, float]) -> str:
    """Metrics as one line."""
    return "  ".join(f"{name} {value:.4f}" for name, value in sorted(metrics.items()))

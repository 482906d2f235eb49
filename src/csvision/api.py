"""csvision from Python: what the commands do, in one call each."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from csvision import config, schema
from csvision.classifier import Classifier
from csvision.data.split import read_parts
from csvision.paths import quote_paths
from csvision.report.run import draw_evaluation, draw_run
from csvision.run import evaluate as evaluation
from csvision.run import log as run_log
from csvision.run.directory import leads, new_path
from csvision.run.log import log
from csvision.run.results import Evaluation, class_table
from csvision.run.train import Trained
from csvision.run.train import train as run_training


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
        trained = run_training(settings, parts, directory, overrides)
        if leads():
            draw_run(trained)
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

"""Test a finished run on its own test rows or on the rows of a file."""

from pathlib import Path

import numpy as np

from csvision.config import command_schema
from csvision.config.baseline_schema import RunConfig
from csvision.data.splits import Subset
from csvision.data.table import ImageTable
from csvision.evaluation import EvalResult, evaluate_split, write_results
from csvision.files import make_dir, timestamp
from csvision.run.directory import RunDirectory
from csvision.run.loaded_run import LoadedRun, other_file_options, read_matching_table
from csvision.run.log import log
from csvision.run.run_data import load_test_subset, recorded_splits


def evaluate(config: command_schema.EvaluateConfig) -> tuple[EvalResult, Path]:
    """Test a run on its own test rows or on a file; return the result and its folder.

    Raises RunError, DataError or ConfigError for what cannot be evaluated.
    """
    run = LoadedRun.open(config, "evaluations", config.device)
    subset = eval_subset(run.directory, run.trained, config)
    with run.use_network(config.device) as trainer:
        result = evaluate_split(trainer, run.classifier, subset, run.trained.batch_size)
    folder = make_dir(run.results / timestamp())
    write_results(result, result.metrics, folder)
    return result, folder


def eval_subset(
    run_dir: RunDirectory, trained: RunConfig, config: command_schema.EvaluateConfig
) -> Subset:
    """Return the test rows of the run, or all rows of a file."""
    csv = config.data.csv
    if csv is None or config.rows is command_schema.EvalRows.test:
        return load_test_subset(run_dir, trained, moved_to=csv)
    table = read_matching_table(csv, run_dir, other_file_options(trained.data, config.data))
    warn_if_trained_on(run_dir, csv, table)
    return Subset.full(table)


def warn_if_trained_on(run_dir: RunDirectory, csv: str, table: ImageTable) -> None:
    """Warn if rows of a file were used for training."""
    recorded = recorded_splits(run_dir)
    if recorded is None:
        return
    count = int(np.isin(table.hashes, recorded.train.images).sum())
    if count:
        log.warning(
            "%s: %d of %d images also occur in the training set of the run; test accuracy will be "
            "inflated",
            csv,
            count,
            len(table.images),
        )

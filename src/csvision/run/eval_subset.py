"""The rows on which a finished run is tested: its own test rows, or those of a file."""

import numpy as np

from csvision.config import command_schema
from csvision.config.baseline_schema import RunConfig
from csvision.data.splits import Subset
from csvision.data.table import ImageTable
from csvision.run.directory import RunDirectory
from csvision.run.loaded_run import other_file_options, read_matching_table
from csvision.run.log import log
from csvision.run.run_data import load_test_subset, recorded_splits


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

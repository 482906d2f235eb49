"""Validate a baseline once, before anything is written."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from csvision.config.baseline_schema import BaselineConfig, BaselineName, KNNConfig
from csvision.config.validate import validate
from csvision.data.splits import Splits, load_splits
from csvision.errors import ConfigError
from csvision.run.prepare import check_writable

SLOW_ROWS = 20_000
"""Training rows above which the time of a support vector machine is announced."""


@dataclass(frozen=True)
class PreparedBaseline:
    """A validated configuration with its data."""

    config: BaselineConfig
    splits: Splits


def prepare_baseline(
    config: BaselineConfig, splits: Splits | None = None, directory: Path | None = None
) -> PreparedBaseline:
    """Validate values, data and folder; return what fitting needs.

    `splits` are read from the configured files if not given. `directory` is the existing run into
    which results will be written. Raises UserError if the baseline cannot be fitted.
    """
    validate(config)
    if directory is None:
        check_writable(Path(config.output_dir))
    else:
        check_writable(directory, f"run={directory}", "copy the run to a writable folder")
    if splits is None:
        splits = load_splits(config.data, config.debug.limit_rows)
    check_rows(config, splits)
    return PreparedBaseline(config, splits)


def check_rows(config: BaselineConfig, splits: Splits) -> None:
    """Raise ConfigError if the training rows do not suffice for the estimator."""
    baseline, rows = config.baseline, len(splits.train)
    if isinstance(baseline, KNNConfig) and baseline.n_neighbors > rows:
        raise ConfigError(
            f"baseline.n_neighbors={baseline.n_neighbors}: there are {rows} training rows; use at "
            "most as many neighbors"
        )
    classes = len(np.unique(splits.train.labels))
    if classes < 2 and baseline.name is not BaselineName.majority:
        raise ConfigError(
            f"baseline={baseline.name}: all {rows} training rows have one class; use more rows "
            "(debug.limit_rows=null), or baseline=majority"
        )


def slow_warning(config: BaselineConfig, rows: int) -> str | None:
    """Say that a support vector machine takes long; None for fewer rows and other estimators."""
    if config.baseline.name is not BaselineName.svm_rbf or rows <= SLOW_ROWS:
        return None
    return (
        f"baseline=svm_rbf: the time grows at least with the square of the {rows:,} training rows, "
        "and fitting cannot be resumed; debug.limit_rows=10000 uses fewer"
    )

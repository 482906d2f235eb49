"""Predict the labels of a file with a finished run, or with all finished runs of a sweep."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from time import perf_counter
from typing import BinaryIO

import pandas as pd

from csvision.config import command_schema
from csvision.config.command_schema import Submission
from csvision.data.open_table import open_table
from csvision.errors import RunError
from csvision.files import replace_file, result_name, results_dir
from csvision.run.directory import RunDirectory
from csvision.run.loaded_run import open_runs, predict_options
from csvision.run.log import log
from csvision.run.predict_rows import RowPredictor
from csvision.run.predictor import Predict, use_predictor
from csvision.run.progress import show_progress
from csvision.run.run_data import read_data_spec
from csvision.run.standard_input import display_name, open_path
from csvision.run.submission import SubmissionNotes, submission_table
from csvision.run.system_errors import DISK_ERRNOS


@dataclass(frozen=True)
class PredictedFile:
    """A table of predictions that was written: its path and number of rows.

    `seconds` is how long reading and predicting took.
    """

    path: Path
    rows: int
    seconds: float


class TableFile:
    """A CSV file that grows by tables with the same columns, and the tables themselves if asked."""

    def __init__(self, file: BinaryIO, tables: list[pd.DataFrame] | None) -> None:
        self.file = file
        self.tables = tables
        self.rows = 0

    def write(self, table: pd.DataFrame) -> None:
        """Append the rows of a table."""
        text = table.to_csv(index=False, header=not self.rows)
        # Names of files that are not valid text keep their bytes.
        self.file.write(text.encode(errors="surrogateescape"))
        self.rows += len(table)
        if self.tables is not None:
            self.tables.append(table)

    def restart(self) -> None:
        """Delete all rows."""
        self.file.seek(0)
        self.file.truncate()
        self.rows = 0
        if self.tables is not None:
            self.tables.clear()


def predict(
    config: command_schema.PredictConfig, tables: list[pd.DataFrame] | None = None
) -> PredictedFile:
    """Predict the labels of a file; write each row when it is predicted.

    The table appears under its name when it is complete. Its parts are appended to `tables`; if
    that is None, the memory needed does not depend on the number of rows. Raises RunError,
    DataError or ConfigError for what cannot be predicted.
    """
    runs = open_runs(config, "predictions", config.device)
    csv = config.data.csv
    path = runs[0].results / result_name(display_name(csv), ".csv")
    with (
        results_dir(path.parent),
        use_predictor(runs, config.device) as predict_batches,
        report_disk_errors(path),
        open_path(csv, path.parent) as source,
        replace_file(path) as file,
    ):
        start = perf_counter()
        run_dir, batch_size = runs[0].directory, runs[0].trained.batch_size
        table_file = TableFile(file, tables)
        rows = predict_rows(
            config,
            run_dir,
            predict_batches,
            batch_size,
            source,
            table_file,
            needs_probabilities(config),
        )
        seconds = perf_counter() - start
    return PredictedFile(path, rows, seconds)


def needs_probabilities(config: command_schema.PredictConfig) -> bool:
    """Return whether the probabilities of the classes are written."""
    return config.probabilities and config.submission is not Submission.kaggle


def predict_rows(
    config: command_schema.PredictConfig,
    run_dir: RunDirectory,
    predict_batches: Predict,
    batch_size: int,
    source: Path,
    file: TableFile,
    probabilities: bool,
) -> int:
    """Read a file for a run and write its predictions; return the number of rows.

    Labels that the run does not know are kept, with a warning. Without `probabilities`, none are
    written.
    """
    spec = read_data_spec(run_dir)
    options = replace(predict_options(run_dir, config.data), check_labels=False)
    opened = open_table(source, options, spec)
    kaggle = config.submission is Submission.kaggle
    notes = SubmissionNotes()
    with show_progress("images", opened.source.num_rows, config.quiet) as update:

        def receive(table: pd.DataFrame) -> None:
            file.write(submission_table(table) if kaggle else table)
            if kaggle:
                notes.add(table)
            update(file.rows)

        def restart() -> None:
            notes.restart()
            file.restart()

        predictor = RowPredictor(
            opened,
            spec,
            predict_batches,
            batch_size,
            receive,
            restart,
            probabilities=probabilities,
        )
        notices = opened.stream(predictor)
        rows = predictor.finish()
    if notices:
        log.info("%s: %s", display_name(config.data.csv), "; ".join(notices))
    predictor.labels.warn(display_name(config.data.csv))
    if kaggle:
        notes.log(spec.label_values)
    return rows


@contextmanager
def report_disk_errors(path: Path) -> Iterator[None]:
    """Convert an OSError while `path` is written to RunError; reading raises DataError."""
    try:
        yield
    except OSError as error:
        if error.errno not in DISK_ERRNOS:
            raise
        raise RunError(
            f"{path.parent} cannot be written: {error.strerror}; free some space, or choose "
            "another output_dir"
        ) from error

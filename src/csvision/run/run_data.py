"""Read the data files of a run again, and find the rows of its splits in them.

The rows are those that the run has used, or none: a changed file is refused.
"""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from csvision.command_hints import command_line
from csvision.config import schema
from csvision.config.baseline_schema import RunConfig
from csvision.data.data_spec import DataSpec
from csvision.data.pixel_range import BYTES, DARK_NOTICE, UNIT_NOTICE
from csvision.data.read_options import ReadOptions
from csvision.data.splits import Indices, Splits, Subset, load_splits
from csvision.data.table import ImageTable, read_table
from csvision.errors import RunError
from csvision.run import provenance
from csvision.run.directory import RunDirectory
from csvision.run.log import log
from csvision.run.recorded_splits import (
    RecordedRows,
    RecordedSplits,
    find_rows,
    has_all_rows,
    read_splits,
)

MOVED_FILE = (
    "if it was moved, write data.csv=FILE rows=test with its new path; to test on other images, "
    "write only data.csv=FILE"
)

MISSING_ROW = "a row of the run is missing or different"


def read_data_spec(run_dir: RunDirectory) -> DataSpec:
    """Return image shape, labels and classes of a run; raises RunError if they are missing."""
    data = recorded_data(run_dir)
    # Earlier versions scaled fractions from 0 to 1, and recorded no range.
    black, white = data.get("pixel_range", BYTES)
    return DataSpec(
        tuple(data["image_shape"]),
        list(data["label_values"]),
        data["classes"],
        (black, white),
        data.get("label_column"),
        data.get("pixel_columns"),
    )


def check_reading(run_dir: RunDirectory, csv: str, table: ImageTable) -> None:
    """Raise RunError if an earlier version of csvision has read the file of a run otherwise.

    That version took the first column for the label and the others for pixels, in the order of the
    file, from 0 to 255 or fractions from 0 to 1.
    """
    as_before = (UNIT_NOTICE, DARK_NOTICE)
    decisions = [notice for notice in table.notices if not notice.startswith(as_before)]
    if "pixel_range" not in recorded_data(run_dir) and decisions:
        raise RunError(
            f"run={run_dir.path}: an earlier version of csvision read {csv} in another way "
            f"({decisions[0]}); train again"
        )


def recorded_data(run_dir: RunDirectory) -> dict[str, Any]:
    """Return what run.json records about the data; raises RunError if training did not start."""
    data: dict[str, Any] | None = run_dir.read_manifest().get("data")
    if data is None:
        raise RunError(f"run={run_dir.path}: training did not start")
    return data


def recorded_splits(run_dir: RunDirectory) -> RecordedSplits | None:
    """Return the rows of the splits of a run; None for a run that has not recorded them."""
    if not run_dir.splits.exists():
        return None
    return read_splits(run_dir.splits, recorded_data(run_dir)["split_sha256"])


def load_run_splits(
    run_dir: RunDirectory, config: RunConfig, fix: str = "put it back at this path"
) -> Splits:
    """Return the splits with which a run was started; raises RunError if a file has changed.

    `fix` is what to do if a file does not exist.
    """
    for csv in filter(None, (config.data.csv, config.data.test_csv)):
        check_exists(run_dir, csv, fix)
    recorded = recorded_splits(run_dir)
    if recorded is None:
        return recompute_splits(run_dir, config)
    data, sha256 = config.data, recorded_data(run_dir)["sha256"]
    rows = [recorded.train, recorded.val]
    if data.test_csv is None:
        return Splits(*read_subsets(run_dir, data, data.csv, sha256, [*rows, recorded.test]))
    train, val = read_subsets(run_dir, data, data.csv, sha256, rows)
    return Splits(train, val, read_test_subset(run_dir, data, recorded))


def load_test_subset(
    run_dir: RunDirectory,
    config: RunConfig,
    moved_to: str | None = None,
    fix: str = MOVED_FILE,
) -> Subset:
    """Return the test rows of a run; `moved_to` is the current path of their file.

    `fix` says what to do if it does not exist.

    Raises RunError if the file has changed or does not exist.
    """
    data = config.data
    if moved_to is None:
        check_exists(run_dir, data.test_csv or data.csv, fix)
    elif data.test_csv is None:
        data = replace(data, csv=moved_to)
    else:
        data = replace(data, test_csv=moved_to)
    recorded = recorded_splits(run_dir)
    if recorded is None:
        return recompute_splits(run_dir, replace(config, data=data)).test
    return read_test_subset(run_dir, data, recorded)


def read_test_subset(
    run_dir: RunDirectory, data: schema.DataConfig, recorded: RecordedSplits
) -> Subset:
    """Return the recorded test rows; raises RunError if they are not in their file."""
    hashes = recorded_data(run_dir)
    if data.test_csv is not None:
        rows = [recorded.test]
        (test,) = read_subsets(run_dir, data, data.test_csv, hashes["test_sha256"], rows)
        return test
    # A file without the training rows is not the same file with additional rows.
    rows = [recorded.train, recorded.val, recorded.test]
    return read_subsets(run_dir, data, data.csv, hashes["sha256"], rows)[2]


def read_subsets(
    run_dir: RunDirectory,
    data: schema.DataConfig,
    csv: str,
    sha256: str,
    rows: Sequence[RecordedRows],
) -> list[Subset]:
    """Return the recorded rows of a file whose hash was `sha256`.

    Raises RunError if one of them is no longer in the file.
    """
    options = ReadOptions.from_config(data)
    if csv == data.test_csv:
        options = replace(options, labels_csv=None)
    # Additional rows may have additional labels.
    table = read_table(csv, options, reference=read_data_spec(run_dir), allow_other_labels=True)
    check_reading(run_dir, csv, table)
    return [Subset(table, indices) for indices in find_indices(run_dir, csv, table, sha256, rows)]


def find_indices(
    run_dir: RunDirectory,
    csv: str,
    table: ImageTable,
    sha256: str,
    rows: Sequence[RecordedRows],
) -> list[Indices]:
    """Return the indices of the recorded rows; raises RunError if the file is another one."""
    if table.sha256 == sha256:
        return [recorded.indices for recorded in rows]
    found = find_rows(table, rows)
    if found is None:
        if has_all_rows(table, rows):
            raise data_changed_error(run_dir, csv, "the rows of the run are in another order")
        raise data_changed_error(run_dir, csv)
    log.warning(
        "run=%s: %s is not the file of the training, but has all of its rows; these are used",
        run_dir.path,
        csv,
    )
    return found


def recompute_splits(run_dir: RunDirectory, config: RunConfig) -> Splits:
    """Return the splits of a run that has not recorded them, drawn from unchanged files.

    Raises RunError if a hash differs from the one in run.json.
    """
    splits = load_splits(config.data, config.debug.limit_rows)
    hashes, current = recorded_data(run_dir), provenance.data_hashes(splits)
    changed = [name for name, value in current.items() if hashes[name] != value]
    if changed:
        only_test = changed == ["test_sha256"] and config.data.test_csv is not None
        csv = config.data.test_csv if only_test else config.data.csv
        raise data_changed_error(run_dir, str(csv))
    check_reading(run_dir, config.data.csv, splits.train.table)
    return splits


def check_exists(run_dir: RunDirectory, csv: str, fix: str) -> None:
    """Raise RunError if a data file of a run does not exist."""
    if csv != schema.BUNDLED and not Path(csv).exists():
        raise RunError(f"run={run_dir.path}: {csv}, a data file of the run, does not exist; {fix}")


def data_changed_error(run_dir: RunDirectory, csv: str, reason: str = MISSING_ROW) -> RunError:
    """Return the error that the rows of a run cannot be found again."""
    evaluate = command_line("evaluate", f"run={run_dir.path}", "data.csv=FILE")
    trained = run_dir.read_run_config().data
    own = [name for name in (trained.csv, trained.test_csv) if name]
    if Path(csv).absolute() not in [Path(name).absolute() for name in own]:
        return RunError(
            f"run={run_dir.path}: data.csv={csv} is not the data of the run: {reason}; give the "
            f"current path of {own[-1]}; to test on new images: {evaluate}"
        )
    return RunError(
        f"run={run_dir.path}: {csv} has changed since training: {reason}; restore the file; to "
        f"test on new images: {evaluate}"
    )

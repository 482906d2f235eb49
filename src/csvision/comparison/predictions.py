"""Compare the predictions of two runs on the same test rows."""

import csv
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np

from csvision.comparison.record import RunRecord
from csvision.comparison.statistics import McNemarTest, mcnemar
from csvision.errors import RunError
from csvision.run.manifest import read_json_object

Rows = dict[int, tuple[str, bool]]
"""The label of each row of the source file, and whether it was predicted."""


def compare_predictions(first: RunRecord, second: RunRecord) -> McNemarTest:
    """Return McNemar's test on the test rows of two finished runs.

    Raises RunError if a run has no predictions, or if the test rows are not the same.
    """
    one, two = (read_predictions(Path(run.directory)) for run in (first, second))
    hashes = [hash_of_test_rows(Path(run.directory)) for run in (first, second)]
    labels = [{row: label for row, (label, _) in rows.items()} for rows in (one, two)]
    if labels[0] != labels[1] or hashes[0] != hashes[1]:
        raise RunError(
            f"{first.directory} and {second.directory} were tested on different rows; train both "
            "with the same data file, data.split_seed and data.test_size"
        )
    rows = sorted(one)
    return mcnemar([one[row][1] for row in rows], [two[row][1] for row in rows])


def hash_of_test_rows(folder: Path) -> str | None:
    """Return the hash of the file with the test rows of a run; None if it is not recorded."""
    try:
        data: Mapping[str, Any] = read_json_object(folder / "run.json").get("data") or {}
        return str(data.get("test_sha256") or data.get("sha256") or "") or None
    except (OSError, AttributeError) as error:
        raise RunError(f"{folder}/run.json cannot be read: {error}") from error


def read_test_rows(folder: Path) -> str | None:
    """Return a hash of the test images and labels of a run; None if they are not recorded."""
    file = folder / "splits.npz"
    try:
        with file.open("rb") as opened, np.load(opened, allow_pickle=False) as arrays:
            rows = [arrays[f"test_{name}"].tobytes() for name in ("images", "labels")]
    except FileNotFoundError:
        return None
    except (OSError, KeyError, ValueError, BadZipFile) as error:
        raise RunError(f"{file} is damaged: {error}; train the run again") from error
    return sha256(b"".join(rows)).hexdigest()


def read_predictions(folder: Path) -> Rows:
    """Return the predictions of a run; raises RunError if they cannot be read."""
    file = folder / "predictions.csv"
    try:
        with file.open(encoding="utf-8", newline="") as lines:
            return {
                int(row["row"]): (row["label"], row["label"] == row["prediction"])
                for row in csv.DictReader(lines)
            }
    except FileNotFoundError as error:
        raise RunError(f"run={folder} has no predictions.csv: it is not finished; resume it") from (
            error
        )
    except (OSError, KeyError, ValueError, TypeError) as error:
        raise RunError(f"{file} is damaged: {error}; evaluate the run again") from error

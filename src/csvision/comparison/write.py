"""Write a comparison: comparison.json, comparison.csv and comparison_differences.csv."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from csvision.comparison.result import ComparisonResult
from csvision.comparison.sources import Source
from csvision.errors import RunError
from csvision.files import make_dir, replace_file, timestamp, write_json

NAME = "comparison"


def results_folder(sources: Sequence[Source], output_dir: Path | None, outputs: Path) -> Path:
    """Return the folder of the results: that of the only sweep, else a new one."""
    if output_dir is not None:
        return output_dir
    if len(sources) == 1 and sources[0].sweep:
        return sources[0].path
    return outputs / "comparisons" / timestamp()


def write_comparison(comparison: ComparisonResult, folder: Path) -> None:
    """Write the files of a comparison; raises RunError if they cannot be written."""
    make_dir(folder)
    try:
        write_json(folder / f"{NAME}.json", comparison.to_dict())
        write_table(comparison.table, folder / f"{NAME}.csv")
        write_table(comparison.difference_table, folder / f"{NAME}_differences.csv")
    except OSError as error:
        raise RunError(
            f"{folder} cannot be written: {error.strerror}; choose another folder: output_dir=DIR"
        ) from error


def write_table(table: pd.DataFrame, path: Path) -> None:
    """Write a table as CSV, completely or not at all."""
    with replace_file(path) as file:
        file.write(table.to_csv(index=False).encode())

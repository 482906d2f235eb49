"""The table of a sweep: one row per job, and mean and standard deviation over seeds."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException
from yaml import YAMLError

from csvision.config.flatten import REPLICATE_KEYS
from csvision.config.labels import parse_override, short_keys, short_value
from csvision.errors import RunError
from csvision.run.manifest import STATES, read_json_object
from csvision.run.sweep_record import has_record
from csvision.run.sweep_record import read_overrides as read_recorded_overrides

HIDDEN = ("val/f1", "val/balanced_acc", "test/balanced_acc")
"""Metrics that sweep.csv has and that would make the tables too wide."""

NO_KEYS = ("job", "state", "reason")
"""Columns that are neither keys of overrides nor metrics."""


def summarize_sweep(sweep: Path) -> bool:
    """Print the table of a sweep and write it to sweep.csv; return whether all jobs finished.

    Raises RunError if the sweep has no jobs or the file cannot be written.
    """
    jobs = sweep_table(sweep)
    if jobs.empty:
        raise RunError(f"{sweep}: no job of this sweep has started")
    file = sweep / "sweep.csv"
    try:
        jobs.to_csv(file, index=False)
    except OSError as error:
        raise RunError(f"{file} cannot be written: {error.strerror}; free some space") from error
    print(f"\n{format_sweep(jobs)}\n{sweep}")
    return bool((jobs["state"] == "finished").all())


def sweep_table(sweep: Path) -> pd.DataFrame:
    """Return the jobs of a sweep: job, state, one column per override, one per metric."""
    if has_record(sweep):
        jobs = enumerate(read_recorded_overrides(sweep).items())
        return pd.DataFrame(job_row(number, sweep / name, words) for number, (name, words) in jobs)
    directories = [path.parent.parent for path in sweep.glob("*/.hydra/overrides.yaml")]
    numbered = [path for path in directories if path.name.partition("_")[0].isdecimal()]
    return pd.DataFrame(
        job_row(job_number(path), path, read_overrides(path))
        for path in sorted(numbered, key=job_number)
    )


def job_number(directory: Path) -> int:
    """Return the number at the start of the name of a job's directory."""
    return int(directory.name.partition("_")[0])


def read_overrides(directory: Path) -> list[str]:
    """Return the overrides of a job from Hydra's file; none if it is damaged."""
    try:
        overrides = OmegaConf.load(directory / ".hydra" / "overrides.yaml")
        return [str(override) for override in overrides]
    except (OSError, ValueError, YAMLError, OmegaConfBaseException):
        return []


def job_row(number: int, directory: Path, overrides: Sequence[str]) -> dict[str, Any]:
    """Return the row of one job; a job that ended before its training started has failed."""
    row: dict[str, Any] = {"job": number, "state": "failed" if directory.exists() else "missing"}
    for override in overrides:
        name, value = parse_override(override)
        row[name] = value
    if not (manifest := directory / "run.json").exists():
        return row
    try:
        content = read_json_object(manifest)
        row["state"] = content["state"] if content["state"] in STATES else "damaged"
        if reason := content.get("reason"):
            row["reason"] = str(reason)
        if "extended_from" in content:
            row["epochs"] = str(content["config"]["epochs"])
        if row["state"] == "finished":
            metrics = read_json_object(directory / "metrics.json")
            row |= {name: value for name, value in metrics.items() if isinstance(value, float)}
    except (OSError, RunError, KeyError, TypeError):
        row["state"] = "damaged"
    return row


def metric_columns(jobs: pd.DataFrame) -> list[str]:
    """Return the columns of the metrics shown in tables: those of validation and test.

    HIDDEN ones are shown if a job monitors them.
    """
    monitored = {str(name).rpartition("/")[2] for name in jobs.get("monitor", ())}
    return [
        name
        for name in jobs.columns
        if name.startswith(("val/", "test/"))
        and (name not in HIDDEN or name.rpartition("/")[2] in monitored)
    ]


def swept_keys(jobs: pd.DataFrame) -> list[str]:
    """Return the override keys whose values differ between jobs."""
    keys = [name for name in jobs.columns if name not in NO_KEYS and "/" not in name]
    return [key for key in keys if jobs[key].nunique(dropna=False) > 1]


def aggregate_over_seeds(jobs: pd.DataFrame) -> pd.DataFrame | None:
    """Return runs, mean and standard deviation of each metric per setting.

    The jobs of a setting differ in REPLICATE_KEYS only; returns None if none of these was swept.
    """
    swept = swept_keys(jobs)
    if not set(REPLICATE_KEYS) & set(swept):
        return None
    finished = jobs[jobs["state"] == "finished"]
    keys = [key for key in swept if key not in REPLICATE_KEYS]
    groups = finished.groupby(keys, sort=False, dropna=False) if keys else [("all", finished)]
    rows = []
    for values, group in groups:
        setting = values if isinstance(values, tuple) else (values,)
        row: dict[str, Any] = dict(zip(keys or ["setting"], setting, strict=True))
        row["runs"] = len(group)
        for metric in metric_columns(jobs):
            row[metric] = format_values(group[metric].dropna())
        rows.append(row)
    return pd.DataFrame(rows)


def format_values(values: pd.Series) -> str:
    """Return mean and standard deviation as `csvision compare` does: a dash without values."""
    if values.empty:
        return "-"
    text = f"{values.mean():.4f}"
    return text if len(values) == 1 else f"{text} +- {values.std():.4f}"


def format_sweep(jobs: pd.DataFrame) -> str:
    """Format the tables of a sweep as text, with short names of keys and values."""
    keys = swept_keys(jobs)
    names = short_keys(keys)
    reasons = ["reason"] if "reason" in jobs else []
    columns = ["job", *keys, *metric_columns(jobs), "state", *reasons]
    text = shorten(jobs[columns], names).to_string(
        index=False, na_rep="", float_format=lambda value: f"{value:.4f}", max_colwidth=60
    )
    summary = aggregate_over_seeds(jobs)
    if summary is None or summary.empty:
        return text
    over = " and ".join(
        name for key, name in (("seed", "seeds"), ("data.fold", "folds")) if key in keys
    )
    table = shorten(summary, names).to_string(index=False)
    return f"{text}\n\nmean +- standard deviation over {over}\n{table}"


def shorten(table: pd.DataFrame, names: Mapping[str, str]) -> pd.DataFrame:
    """Return a table with short names of some columns, and their values as in labels."""
    shown = table.copy()
    for key in names:
        if key in shown:
            shown[key] = [
                short_value(value) if isinstance(value, str) else value for value in shown[key]
            ]
    return shown.rename(columns=dict(names))

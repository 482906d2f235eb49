"""The table of a sweep: one row per job, and mean and standard deviation over seeds."""

import json
from pathlib import Path
from typing import Any

import pandas as pd
from omegaconf import OmegaConf


def summarize_sweep(sweep: Path) -> bool:
    """Print the table of a sweep and write it to sweep.csv; return whether all jobs finished."""
    jobs = sweep_table(sweep)
    jobs.to_csv(sweep / "sweep.csv", index=False)
    print(f"\n{format_sweep(jobs)}\n{sweep}")
    return bool((jobs["state"] == "finished").all())


def sweep_table(sweep: Path) -> pd.DataFrame:
    """Return the jobs of a sweep: job, state, one column per override, one per metric."""
    directories = [path.parent.parent for path in sweep.glob("*/.hydra/overrides.yaml")]
    rows = [job_row(directory) for directory in sorted(directories, key=job_number)]
    return pd.DataFrame(rows)


def job_number(directory: Path) -> int:
    """Return the number at the start of the name of a job's directory."""
    return int(directory.name.partition("_")[0])


def job_row(directory: Path) -> dict[str, Any]:
    """Return the row of one job; a job that ended before its training started has failed."""
    overrides = OmegaConf.to_container(OmegaConf.load(directory / ".hydra" / "overrides.yaml"))
    assert isinstance(overrides, list)
    row: dict[str, Any] = {"job": job_number(directory), "state": "failed"}
    for override in overrides:
        name, _, value = str(override).lstrip("+").partition("=")
        row[name] = value
    if (manifest := directory / "run.json").exists():
        content = json.loads(manifest.read_text(encoding="utf-8"))
        row["state"] = content["state"]
        if "extended_from" in content:
            row["epochs"] = str(content["config"]["epochs"])
    if row["state"] == "finished":
        metrics = json.loads((directory / "metrics.json").read_text(encoding="utf-8"))
        row |= {name: value for name, value in metrics.items() if isinstance(value, float)}
    return row


def metric_columns(jobs: pd.DataFrame) -> list[str]:
    """Return the columns of the metrics shown in tables: those of validation and test."""
    return [name for name in jobs.columns if name.startswith(("val/", "test/"))]


def swept_keys(jobs: pd.DataFrame) -> list[str]:
    """Return the override keys whose values differ between jobs."""
    keys = [name for name in jobs.columns if name not in ("job", "state") and "/" not in name]
    return [key for key in keys if jobs[key].nunique(dropna=False) > 1]


def aggregate_over_seeds(jobs: pd.DataFrame) -> pd.DataFrame | None:
    """Return runs, mean and standard deviation of each metric per setting; None for one seed."""
    if "seed" not in swept_keys(jobs):
        return None
    finished = jobs[jobs["state"] == "finished"]
    keys = [key for key in swept_keys(jobs) if key != "seed"]
    groups = finished.groupby(keys, sort=False, dropna=False) if keys else [("all", finished)]
    rows = []
    for values, group in groups:
        setting = values if isinstance(values, tuple) else (values,)
        row: dict[str, Any] = dict(zip(keys or ["setting"], setting, strict=True))
        row["runs"] = len(group)
        for metric in metric_columns(jobs):
            row[metric] = f"{group[metric].mean():.4f} +- {group[metric].std():.4f}"
        rows.append(row)
    return pd.DataFrame(rows)


def format_sweep(jobs: pd.DataFrame) -> str:
    """Format the tables of a sweep as text."""
    columns = ["job", *swept_keys(jobs), *metric_columns(jobs), "state"]
    text = jobs[columns].to_string(index=False, float_format=lambda value: f"{value:.4f}")
    summary = aggregate_over_seeds(jobs)
    if summary is None or summary.empty:
        return text
    return f"{text}\n\nmean +- standard deviation over seeds\n{summary.to_string(index=False)}"

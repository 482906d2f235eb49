"""The table of a sweep: a row a job, and over seeds the mean and spread of each setting."""

import json
from pathlib import Path
from typing import Any

import pandas as pd
from omegaconf import OmegaConf

METRICS = ("val/acc", "test/loss", "test/acc", "test/f1")


def sum_up(sweep: Path) -> bool:
    """Print the table of a sweep and write it to sweep.csv; whether every job has finished."""
    jobs = read_jobs(sweep)
    jobs.to_csv(sweep / "sweep.csv", index=False)
    print(f"\n{describe_sweep(jobs)}\n{sweep}")
    return bool((jobs["state"] == "finished").all())


def read_jobs(sweep: Path) -> pd.DataFrame:
    """The jobs of a sweep's folder: job, state, a column an override, a column a metric."""
    folders = [path.parent.parent for path in sweep.glob("*/.hydra/overrides.yaml")]
    rows = [read_job(folder) for folder in sorted(folders, key=job_number)]
    return pd.DataFrame(rows)


def job_number(folder: Path) -> int:
    """The number that a job's folder begins with."""
    return int(folder.name.partition("_")[0])


def read_job(folder: Path) -> dict[str, Any]:
    """The row of one job; a job that ended before it began to train has failed."""
    overrides = OmegaConf.to_container(OmegaConf.load(folder / ".hydra" / "overrides.yaml"))
    assert isinstance(overrides, list)
    row: dict[str, Any] = {"job": job_number(folder), "state": "failed"}
    for override in overrides:
        name, _, value = str(override).lstrip("+").partition("=")
        row[name] = value
    if (manifest := folder / "run.json").exists():
        row["state"] = json.loads(manifest.read_text(encoding="utf-8"))["state"]
    if row["state"] == "finished":
        metrics = json.loads((folder / "metrics.json").read_text(encoding="utf-8"))
        row |= {name: metrics[name] for name in METRICS if name in metrics}
    return row


def settings_of(jobs: pd.DataFrame) -> list[str]:
    """The overrides in which the jobs differ."""
    names = [name for name in jobs.columns if name not in ("job", "state", *METRICS)]
    return [name for name in names if jobs[name].nunique(dropna=False) > 1]


def over_seeds(jobs: pd.DataFrame) -> pd.DataFrame | None:
    """Runs, mean and standard deviation of each metric for each setting; None for one seed."""
    if "seed" not in settings_of(jobs):
        return None
    finished = jobs[jobs["state"] == "finished"]
    settings = [name for name in settings_of(jobs) if name != "seed"]
    groups = (
        finished.groupby(settings, sort=False, dropna=False) if settings else [("all", finished)]
    )
    rows = []
    for setting, group in groups:
        names = setting if isinstance(setting, tuple) else (setting,)
        row: dict[str, Any] = dict(zip(settings or ["setting"], names, strict=True))
        row["runs"] = len(group)
        for metric in METRICS:
            if metric in group:
                row[metric] = f"{group[metric].mean():.4f} +- {group[metric].std():.4f}"
        rows.append(row)
    return pd.DataFrame(rows)


def describe_sweep(jobs: pd.DataFrame) -> str:
    """The tables of a sweep as text."""
    columns = ["job", *settings_of(jobs), *(m for m in METRICS if m in jobs), "state"]
    text = jobs[columns].to_string(index=False, float_format=lambda value: f"{value:.4f}")
    summary = over_seeds(jobs)
    if summary is None or summary.empty:
        return text
    return f"{text}\n\nover seeds, mean +- standard deviation\n{summary.to_string(index=False)}"

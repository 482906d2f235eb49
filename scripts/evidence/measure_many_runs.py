"""Measure what csvision does with very many runs: list, compare, page, resume.

Makes run folders without training: sweeps of up to 10,000 jobs with a configuration and metrics
each. Each step runs in a process of its own; the table has its processor seconds and peak memory.
"""

import json
import multiprocessing
import resource
import shutil
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

import csvision
from csvision.comparison.compare import compare_sources
from csvision.comparison.page import write_page
from csvision.comparison.sources import read_sources
from csvision.comparison.write import write_comparison
from csvision.config.resolvers import job_name
from csvision.run.manifest import read_json_object
from csvision.run.sweep_folder import SWEEP_RECORD
from csvision.run.sweep_jobs import read_sweep
from csvision.run.sweep_table import sweep_table
from evidence_options import parse_options

JOBS = 10_000
"""Jobs of a sweep, at most."""

SEEDS = 5

KEYS = ("optimizer.lr", "batch_size", "seed")


@dataclass
class Options:
    """The options of this script."""

    runs: int = csvision.option("run folders", 100_000, ge=10, le=10**7)
    folder: str | None = csvision.option("where folders are made; null: a temporary folder", None)


def make_runs(folder: Path, runs: int) -> list[Path]:
    """Write the run folders of as many sweeps as needed; return these."""
    template = csvision.config_to_dict(csvision.load_config("train", []))
    template["model"]["stages"] = template["model"]["stages"][:1]
    sweeps = []
    for start in range(0, runs, JOBS):
        sweep = folder / f"sweep{start // JOBS:04d}"
        make_sweep(sweep, min(JOBS, runs - start), template, Random(start))
        sweeps.append(sweep)
    return sweeps


def make_sweep(sweep: Path, jobs: int, template: dict[str, Any], random: Random) -> None:
    """Write a sweep over rates, batch sizes and seeds; one job in a hundred is interrupted."""
    recorded = []
    for number in range(jobs):
        setting, seed = divmod(number, SEEDS)
        rate, size = round(10 ** (-1 - setting % 100 / 33), 6), 16 * (1 + setting // 100)
        config = template | {"seed": seed, "batch_size": size}
        config["optimizer"] = template["optimizer"] | {"lr": rate}
        overrides = [f"optimizer.lr={rate}", f"batch_size={size}", f"seed={seed}"]
        name = job_name(number, overrides, KEYS)
        recorded.append({"directory": name, "overrides": overrides, "config": config})
        accuracy = 0.8 - abs(rate - 0.01) - size / 1e5 + random.gauss(0, 0.01)
        write_run(sweep / name, overrides, config, accuracy, interrupted=number % 100 == 99)
    (sweep / SWEEP_RECORD).write_text(json.dumps({"jobs": recorded}), encoding="utf-8")


def write_run(
    folder: Path, overrides: list[str], config: dict[str, Any], accuracy: float, interrupted: bool
) -> None:
    """Write run.json and metrics.json of a run."""
    folder.mkdir(parents=True)
    content = {
        "state": "interrupted" if interrupted else "finished",
        "started": "2026-01-01T10:00:00+00:00",
        "ended": "2026-01-01T10:00:20+00:00",
        "overrides": overrides,
        "config": config,
    }
    (folder / "run.json").write_text(json.dumps(content), encoding="utf-8")
    if not interrupted:
        metrics = {"val/acc": accuracy, "val/loss": 1 - accuracy, "test/acc": accuracy - 0.01}
        (folder / "metrics.json").write_text(json.dumps(metrics), encoding="utf-8")


def list_runs(folder: Path) -> str:
    """List all runs in a folder."""
    (source,) = read_sources([folder])
    return f"{len(source.records):,} runs"


def compare_all(folder: Path) -> str:
    """Compare all runs in a folder, and write the results and the page."""
    sources = read_sources([folder])
    comparison = compare_sources(sources)
    write_comparison(comparison, folder)
    page = write_page(sources, comparison, folder)
    size = page.stat().st_size / 1e6
    return f"{len(comparison.settings):,} settings, page of {size:.1f} MB"


def tabulate_sweep(folder: Path) -> str:
    """Make the table of a sweep, as at its end."""
    return f"{len(sweep_table(folder)):,} jobs"


def plan_resume(folder: Path) -> str:
    """Read the jobs of a sweep and find those that are not finished, as resume does first."""
    jobs = read_sweep(folder, None)
    states = [read_json_object(job.directory / "run.json")["state"] for job in jobs]
    return f"{len(states) - states.count('finished'):,} of {len(jobs):,} jobs to resume"


def measure(step: Callable[[Path], str], folder: Path) -> tuple[str, float, float]:
    """Return the result of a step, its processor seconds and its peak memory in MiB."""
    before = time.process_time()
    result = step(folder)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return result, time.process_time() - before, peak


def report(name: str, step: Callable[[Path], str], folder: Path) -> None:
    """Run a step in a new process and print a row of the table."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        result, seconds, peak = pool.apply(measure, (step, folder))
    print(f"{name:<36} {seconds:8.1f} s {peak:8.0f} MiB  {result}", flush=True)


def main() -> None:
    """Make the runs, measure all steps, and remove the runs."""
    options = parse_options(Options, __doc__)
    folder = Path(tempfile.mkdtemp(prefix="many_runs_", dir=options.folder))
    try:
        sweep = make_runs(folder, options.runs)[0]
        report("list all runs, first time", list_runs, folder)
        report("list all runs, with the index", list_runs, folder)
        report("compare all runs, with the page", compare_all, folder)
        report("table of one sweep", tabulate_sweep, sweep)
        report("compare one sweep, with the page", compare_all, sweep)
        report("find the jobs of one sweep to resume", plan_resume, sweep)
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()

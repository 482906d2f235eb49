"""One job of a sweep, in whichever process: start it, or resume it if it has started before."""

import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from csvision.config import schema
from csvision.config.baseline_schema import BaselineConfig
from csvision.errors import RunError, first_line
from csvision.files import iso_time
from csvision.run.code_paths import paths_of
from csvision.run.directory import RunDirectory
from csvision.run.manifest import read_json_object
from csvision.run.prepare import PreparedRun
from csvision.run.resume_hint import part_of_sweep
from csvision.run.sweep_jobs import SweepJob

Prepare = Callable[[schema.TrainConfig, Path], PreparedRun]
"""Prepares a run with this configuration for a directory."""

FAILED = ("failed", "diverged")
"""The states of jobs that `launcher.stop_on_failure` counts as failures."""


@dataclass(frozen=True)
class JobOutcome:
    """How a job of a sweep ended: its state in run.json, the reason unless it has finished.

    `seconds` is the time of the last attempt; `value` is that of `metric`, which is `monitor` of a
    training: None without a validation split.
    """

    number: int
    state: str
    reason: str = ""
    seconds: float = 0.0
    metric: str = "val/acc"
    value: float | None = None


def run_job(job: SweepJob, prepare: Prepare) -> None:
    """Train a job to its end; raises what training raises."""
    with part_of_sweep():
        if isinstance(job.config, BaselineConfig):
            run_baseline_job(job, job.config)
        else:
            run_training_job(job, job.config, prepare)


def run_training_job(job: SweepJob, config: schema.TrainConfig, prepare: Prepare) -> None:
    """Train a network, or resume an unfinished run."""
    from csvision.run.log import log_to_console
    from csvision.run.resume import resume_run
    from csvision.run.train import train

    if job.started:
        paths = paths_of(config)
        resume_run(RunDirectory(job.directory), paths.model, **paths.others)
        return
    with log_to_console(config.quiet):
        train(prepare(config, job.directory), job.directory, job.overrides)


def run_baseline_job(job: SweepJob, config: BaselineConfig) -> None:
    """Fit a baseline, or fit an unfinished one again."""
    from csvision.baseline_api import resume_baseline
    from csvision.baselines.fit import fit_baseline
    from csvision.baselines.prepare import prepare_baseline
    from csvision.run.log import log_to_console

    if job.started:
        resume_baseline(job.directory)
        return
    with log_to_console(config.quiet):
        prepared = prepare_baseline(config, directory=job.directory)
        fit_baseline(prepared, job.directory, job.overrides)


def record_end(job: SweepJob, state: str, reason: str) -> None:
    """Record in run.json how a job ended that could not do so itself.

    A job that failed before its directory existed gets one. Does nothing if that is impossible.
    """
    run_dir = RunDirectory(job.directory)
    with suppress(RunError, OSError):
        if not run_dir.manifest.exists():
            RunDirectory.create(job.directory, job.config, job.overrides)
        if run_dir.read_manifest()["state"] != "finished":
            run_dir.update_manifest(state=state, reason=reason, ended=iso_time())


def record_error(job: SweepJob, error: Exception) -> None:
    """Record an error before the directory of the job existed; later ones are in it already."""
    if not RunDirectory(job.directory).manifest.exists():
        record_end(job, "failed", error_reason(error))


def failed_outcome(number: int, job: SweepJob, reason: str, seconds: float) -> JobOutcome:
    """Return the outcome of a job that raised an error, which its run.json may not know.

    An example is a job that another process has locked.
    """
    outcome = read_outcome(number, job, seconds)
    return outcome if outcome.state in FAILED else JobOutcome(number, "failed", reason, seconds)


def error_reason(error: Exception) -> str:
    """Return why a job has failed, in one line."""
    return first_line(error) or type(error).__name__


def read_outcome(number: int, job: SweepJob, seconds: float = 0.0) -> JobOutcome:
    """Return the outcome of a job from the files in its directory."""
    run_dir = RunDirectory(job.directory)
    metric = job.config.monitor if isinstance(job.config, schema.TrainConfig) else "val/acc"
    try:
        manifest = run_dir.read_manifest()
        state, reason = manifest["state"], manifest.get("reason", "")
        value = None
        if state == "finished":
            value = read_json_object(run_dir.metrics).get(metric)
    except (RunError, OSError, KeyError, json.JSONDecodeError) as error:
        return JobOutcome(number, "failed", str(error).partition("\n")[0], seconds)
    # A process that ended without a word has left `running` behind.
    state = "interrupted" if state == "running" else state
    return JobOutcome(number, state, reason, seconds, metric, value)

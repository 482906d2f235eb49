"""Resume a sweep: run the jobs that have not finished, and those that new values add."""

from collections.abc import Sequence
from dataclasses import fields, replace
from pathlib import Path

from csvision.command_hints import display_path
from csvision.comparison.page import refresh_page
from csvision.config import launcher_schema
from csvision.config.compose import load_config
from csvision.launch.available import check_launcher
from csvision.launch.executor import Sweep
from csvision.launch.grow import add_jobs
from csvision.launch.resources import training_configs
from csvision.launch.run_sweep import run_sweep
from csvision.run.code_paths import CodePaths
from csvision.run.damaged_jobs import find_damage, set_aside
from csvision.run.directory import RunDirectory
from csvision.run.log import log
from csvision.run.sweep_jobs import SweepJob, lock_sweep, read_sweep
from csvision.run.sweep_table import summarize_sweep

LAUNCHER = "launcher"


def resume_sweep(folder: Path, paths: CodePaths, overrides: Sequence[str]) -> bool:
    """Run what is missing, failed or interrupted in a sweep; return whether all jobs have finished.

    `overrides` as of `csvision train -m` choose another launcher (launcher=slurm) or add jobs
    (seed=0,1,2,3). Raises UserError if the folder is no sweep, if the sweep is running, or for
    values that cannot be used; then, nothing has changed.
    """
    keys = [override for override in overrides if key_of(override).partition(".")[0] == LAUNCHER]
    values = [override for override in overrides if override not in keys]
    with lock_sweep(folder):
        jobs = read_sweep(folder, paths.model, paths)
        launcher = choose_launcher(recorded_launcher(jobs), keys)
        check_launcher(launcher)
        if values:
            before = len(jobs)
            jobs = add_jobs(folder, jobs, values, launcher, paths)
            print(f"{len(jobs) - before} jobs were added to {display_path(folder)}")
        sweep = Sweep(folder, find_unfinished(folder, jobs), paths)
        run_sweep(sweep, launcher, all_quiet(jobs))
        refresh_page(folder, final=True)
        return summarize_sweep(folder)


def key_of(override: str) -> str:
    """Return the key of an override KEY=VALUE."""
    return override.lstrip("+").partition("=")[0]


def recorded_launcher(jobs: Sequence[SweepJob]) -> launcher_schema.LauncherConfig:
    """Return the launcher with which a sweep was started; baselines are fitted one by one."""
    for config in training_configs(jobs):
        return config.launcher
    serial: launcher_schema.LauncherConfig = load_config("train", ["launcher=serial"]).launcher
    return serial


def choose_launcher(
    recorded: launcher_schema.LauncherConfig, overrides: Sequence[str]
) -> launcher_schema.LauncherConfig:
    """Return the launcher of the command line; keys that it does not mention are the recorded ones.

    Raises ConfigError for values that are not valid.
    """
    named = [] if any(key_of(each) == LAUNCHER for each in overrides) else [recorded.name]
    words = [*(f"{LAUNCHER}={name}" for name in named), *overrides]
    launcher: launcher_schema.LauncherConfig = load_config("train", words).launcher
    mentioned = {key_of(each).partition(".")[2] for each in overrides}
    kept = {
        entry.name: getattr(recorded, entry.name)
        for entry in fields(launcher)
        if hasattr(recorded, entry.name) and entry.name not in {"name", *mentioned}
    }
    return replace(launcher, **kept)


def find_unfinished(folder: Path, jobs: Sequence[SweepJob]) -> dict[int, SweepJob]:
    """Return the jobs that have not finished by their numbers; set aside damaged directories."""
    unfinished = {}
    for number, job in enumerate(jobs):
        run_dir = RunDirectory(job.directory)
        if damage := find_damage(run_dir):
            moved = set_aside(folder, run_dir)
            log.warning("job %s starts again: %s; moved to %s", number, damage, moved)
        if not job.finished:
            unfinished[number] = job
    return unfinished


def all_quiet(jobs: Sequence[SweepJob]) -> bool:
    """Return whether a sweep prints only what went wrong."""
    return all(job.config.quiet for job in jobs)

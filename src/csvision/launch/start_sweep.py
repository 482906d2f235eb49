"""Start a sweep from Python."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from csvision.comparison.page import refresh_page
from csvision.config import schema
from csvision.config.hydra_errors import format_hydra_error
from csvision.config.python_calls import check_no_options, load_python_config
from csvision.config.quoting import quote_paths
from csvision.config.resolvers import job_name, swept_keys
from csvision.config.sweep import expand_sweep
from csvision.errors import ConfigError, RunError, UserError
from csvision.files import timestamp
from csvision.launch.available import check_launcher, common_launcher
from csvision.launch.executor import Sweep
from csvision.launch.grow import check_jobs
from csvision.launch.job import read_outcome
from csvision.launch.resources import with_job_threads
from csvision.launch.run_sweep import run_sweep
from csvision.run.code_paths import paths_of_jobs
from csvision.run.directory import RunDirectory
from csvision.run.sweep_jobs import SweepJob
from csvision.run.sweep_record import RecordedJob, SweepCommand, write_record
from csvision.run.sweep_table import summarize_sweep, sweep_table

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class JobResult:
    """A job of a sweep: its overrides, its run directory, how it ended, and why if it failed."""

    number: int
    overrides: list[str]
    directory: Path
    state: str
    reason: str = ""


@dataclass(frozen=True)
class SweepResult:
    """A sweep: its folder, its jobs, and its table with one row per job, as in sweep.csv."""

    directory: Path
    jobs: list[JobResult]
    table: "pd.DataFrame" = field(repr=False)

    @property
    def finished(self) -> bool:
        """Whether all jobs have finished."""
        return all(job.state == "finished" for job in self.jobs)


def start_sweep(overrides: Sequence[str], config_dir: str | Path | None = None) -> SweepResult:
    """Run a sweep as `csvision train -m OVERRIDES` does; jobs that fail do not stop the others.

    Raises ConfigError if a job cannot work, before anything is written.
    """
    check_no_options(overrides)
    arguments = quote_paths([*overrides, "-m"])[:-1]
    composed = compose_jobs(arguments, config_dir)
    launcher = common_launcher([config for _, config in composed])
    check_launcher(launcher)
    folder = Path(composed[0][1].output_dir).absolute() / "sweeps" / timestamp()
    configs = with_job_threads([config for _, config in composed], launcher)
    keys = swept_keys(arguments)
    jobs = [
        SweepJob(folder / job_name(number, words, keys), words, config)
        for number, (config, (words, _)) in enumerate(zip(configs, composed, strict=True))
    ]
    check_jobs(jobs)
    write_folder(folder, jobs, arguments)
    sweep = Sweep(folder, dict(enumerate(jobs)), paths_of_jobs(configs))
    with RunDirectory(folder).lock():
        try:
            run_sweep(sweep, launcher, all(config.quiet for config in configs))
        except (KeyboardInterrupt, SystemExit):
            print(f"interrupted; to resume the sweep: {sweep.resume_command}")
            raise
        refresh_page(folder, final=True)
        summarize_sweep(folder)
    return SweepResult(folder, [job_result(*each) for each in enumerate(jobs)], sweep_table(folder))


def job_result(number: int, job: SweepJob) -> JobResult:
    """Return how a job has ended; one that never started is missing."""
    if not job.directory.exists():
        return JobResult(number, job.overrides, job.directory, "missing")
    outcome = read_outcome(number, job)
    return JobResult(number, job.overrides, job.directory, outcome.state, outcome.reason)


def compose_jobs(
    arguments: Sequence[str], config_dir: str | Path | None
) -> list[tuple[list[str], schema.TrainConfig]]:
    """Return overrides and configuration of each job; raises ConfigError with all errors."""
    from hydra.errors import HydraException

    try:
        jobs = expand_sweep(arguments)
    except HydraException as error:
        raise ConfigError(format_hydra_error(error)) from error
    composed, messages = [], dict[str, None]()
    for words in jobs:
        try:
            composed.append((words, load_python_config("train", words, config_dir)))
        except UserError as error:
            messages |= dict.fromkeys(error.messages)
    if messages:
        raise ConfigError(messages)
    return composed


def write_folder(folder: Path, jobs: Sequence[SweepJob], arguments: Sequence[str]) -> None:
    """Create the folder of a sweep with its record; raises RunError if that is impossible."""
    recorded = [RecordedJob(job.directory.name, job.overrides, job.config) for job in jobs]
    try:
        folder.mkdir(parents=True)
        write_record(folder, recorded, SweepCommand([*arguments], str(Path.cwd())))
    except OSError as error:
        with suppress(OSError):
            folder.rmdir()
        raise RunError(
            f"{folder} cannot be written: {error.strerror}; choose another output_dir"
        ) from error

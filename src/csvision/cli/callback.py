"""The Hydra callback of `csvision train`: prepare all runs first, summarize a sweep at the end."""

import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from hydra.experimental.callback import Callback
from omegaconf import DictConfig

from csvision.cli.environment import limit_error
from csvision.cli.sweep_session import JOBLIB_LAUNCHER, OWN_LAUNCHER, SESSION
from csvision.config import schema
from csvision.config.baseline_schema import RunConfig
from csvision.config.compose import drop_hydra_node, to_dataclass
from csvision.config.hydra_private import BASIC_SWEEPER
from csvision.config.resolvers import remember_swept_keys
from csvision.config.search_schema import SEARCH_SWEEPER
from csvision.config.sweep import compose_jobs
from csvision.errors import ConfigError, UserError
from csvision.files import is_inner_path
from csvision.launch.available import check_launcher, check_single_run, common_launcher
from csvision.launch.resources import with_job_threads
from csvision.run.sweep_record import RecordedJob


class TrainCallback(Callback):
    """Prepares every run before a directory is created; prints the table of a sweep.

    Hydra turns exceptions of callbacks into warnings, so errors end the process by SystemExit.
    """

    def on_run_start(self, config: DictConfig, **kwargs: Any) -> None:
        """Prepare a single run."""
        with prepare_or_exit() as errors, errors.collect():
            prepared = prepare(drop_hydra_node(config))
            if isinstance(prepared, schema.TrainConfig):
                check_single_run(prepared.launcher)

    def on_multirun_start(self, config: DictConfig, **kwargs: Any) -> None:
        """Prepare every job of a sweep; a search prepares its trials itself."""
        if is_search(config):
            return
        with prepare_or_exit() as errors:
            with errors.collect():
                jobs = prepare_sweep(config, errors)
            if not errors.messages:
                with errors.collect():
                    start_sweep(config, jobs)

    def on_multirun_end(self, config: DictConfig, **kwargs: Any) -> None:
        """Print the table of a sweep, write sweep.csv, and fail if a job failed."""
        if is_search(config):
            return
        from csvision.comparison.page import refresh_page
        from csvision.run.sweep_table import summarize_sweep

        SESSION.finish()
        refresh_page(Path(config.hydra.sweep.dir), final=True)
        finished = False
        with prepare_or_exit() as errors, errors.collect():
            finished = summarize_sweep(Path(config.hydra.sweep.dir))
        if not finished:
            raise SystemExit(1)


def is_search(config: DictConfig) -> bool:
    """Return whether a search chooses the values of swept keys."""
    return bool(config.hydra.sweeper._target_ == SEARCH_SWEEPER)


class ErrorCollector:
    """The messages of several errors, each once."""

    def __init__(self) -> None:
        self.messages: dict[str, None] = {}

    @contextmanager
    def collect(self) -> Iterator[None]:
        """Keep the messages of a UserError."""
        try:
            yield
        except UserError as error:
            self.messages |= dict.fromkeys(error.messages)


@contextmanager
def prepare_or_exit() -> Iterator[ErrorCollector]:
    """Forget the runs of an earlier command; print the collected errors and exit with code 2.

    Other exceptions keep their traceback; the exit code is then 1.
    """
    from csvision.launch.prepared_runs import PREPARED_RUNS

    PREPARED_RUNS.clear()
    errors = ErrorCollector()
    try:
        yield errors
    except Exception as error:
        if not (message := limit_error(error)):
            traceback.print_exc()
            raise SystemExit(1) from None
        errors.messages[message] = None
    for message in errors.messages:
        print(f"error: {message}", file=sys.stderr)
    if errors.messages:
        raise SystemExit(2)


def prepare(composed: DictConfig, sweep: bool = False) -> RunConfig:
    """Prepare a run and return its configuration; raises UserError if the run cannot work."""
    from csvision.launch.prepared_runs import PREPARED_RUNS

    config: RunConfig = to_dataclass(composed)
    if sweep and isinstance(config, schema.TrainConfig) and config.accelerator.devices > 1:
        raise UserError(
            f"accelerator.devices={config.accelerator.devices}: each job of a sweep uses one "
            "device; write accelerator.devices=1"
        )
    PREPARED_RUNS.get_or_prepare(config)
    return config


def prepare_sweep(config: DictConfig, errors: ErrorCollector) -> list[RecordedJob] | None:
    """Prepare the jobs of a sweep and return them; `errors` gets the errors of each job.

    Returns None for a sweeper other than Hydra's default one, which chooses jobs while it runs.
    Raises UserError for values that cannot be swept, and for jobs that share a directory.
    """
    if config.hydra.sweeper._target_ != BASIC_SWEEPER:
        remember_swept_keys(config)
        return None
    jobs = []
    for compose in compose_jobs(config):
        with errors.collect():
            job = compose()
            prepared = prepare(job.config, sweep=True)
            jobs.append(RecordedJob(job.directory, job.overrides, prepared))
    check_directories(jobs)
    if errors.messages or config.hydra.launcher._target_ != OWN_LAUNCHER:
        return jobs
    return with_launcher(jobs)


def with_launcher(jobs: list[RecordedJob]) -> list[RecordedJob]:
    """Return the jobs with the number of threads that their launcher gives them.

    Raises ConfigError if the launcher is not available, or if it is not the same for all jobs.
    """
    configs = [job.config for job in jobs if isinstance(job.config, schema.TrainConfig)]
    check_launcher(common_launcher(configs))
    threads = with_job_threads(configs, common_launcher(configs))
    return [replace(job, config=config) for job, config in zip(jobs, threads, strict=True)]


def start_sweep(config: DictConfig, jobs: list[RecordedJob] | None) -> None:
    """Lock and record a sweep; raises RunError if its folder cannot be used.

    joblib starts all workers at once, so there are not more of them than jobs.
    """
    hydra = config.hydra
    if hydra.launcher._target_ == JOBLIB_LAUNCHER and jobs is not None:
        hydra.launcher.n_jobs = min(count_workers(hydra.launcher.n_jobs), len(jobs))
    params = [f"{key}={value}" for key, value in (hydra.sweeper.get("params") or {}).items()]
    arguments = [*params, *hydra.overrides.task]
    SESSION.start(Path(hydra.sweep.dir).absolute(), jobs, hydra.launcher._target_, arguments)


def count_workers(n_jobs: int) -> int:
    """Return the number of worker processes that joblib would start; raises ConfigError for 0."""
    from joblib import effective_n_jobs

    try:
        return int(effective_n_jobs(n_jobs))
    except ValueError as error:
        raise ConfigError(
            f"hydra.launcher.n_jobs={n_jobs}: no worker process; write a number from 1, or -1 for "
            "one per processor"
        ) from error


def check_directories(jobs: list[RecordedJob]) -> None:
    """Raise ConfigError if a job has no directory of its own inside the folder of the sweep."""
    owners: dict[Path, RecordedJob] = {}
    for job in jobs:
        path = Path(job.directory)
        if not is_inner_path(path):
            raise ConfigError(
                f"hydra.sweep.subdir={job.directory}: not inside the folder of the sweep; write a "
                "relative path without .."
            )
        if owners.setdefault(path, job) is not job:
            raise ConfigError(
                f"hydra.sweep.subdir={job.directory}: two jobs have this directory; write "
                "hydra.sweep.subdir with ${hydra.job.num}"
            )

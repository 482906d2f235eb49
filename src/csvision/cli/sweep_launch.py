"""Run the jobs that Hydra's sweeper has chosen."""

from pathlib import Path
from typing import Any

from hydra.core.global_hydra import GlobalHydra
from hydra.core.utils import JobReturn, JobStatus
from omegaconf import DictConfig

from csvision.cli.callback import prepare, prepare_or_exit, with_launcher
from csvision.cli.sweep_session import SESSION
from csvision.cli.sweep_value import worst_value
from csvision.config.sweep import compose_job
from csvision.launch.available import common_launcher
from csvision.launch.executor import Sweep
from csvision.launch.job import JobOutcome
from csvision.launch.resources import training_configs
from csvision.launch.run_sweep import run_sweep
from csvision.run.code_paths import paths_of_jobs
from csvision.run.sweep_jobs import SweepJob
from csvision.run.sweep_record import RecordedJob


def launch_jobs(config: DictConfig, job_overrides: list[list[str]], first: int) -> list[JobReturn]:
    """Run jobs of a sweep, the first of which has the number `first`; return what Hydra expects."""
    folder = Path(config.hydra.sweep.dir).absolute()
    if SESSION.jobs is None:
        jobs = compose_chosen_jobs(config, folder, job_overrides, first)
        SESSION.code = paths_of_jobs(job.config for job in jobs)
    else:
        jobs = SESSION.jobs[first : first + len(job_overrides)]
    sweep = Sweep(folder, dict(enumerate(jobs, first)), SESSION.code)
    quiet = all(job.config.quiet for job in jobs)
    launcher = common_launcher(training_configs(jobs))
    ended = {each.number: each for each in run_sweep(sweep, launcher, quiet)}
    return [job_return(ended.get(number), config.hydra.sweeper) for number in sweep.jobs]


def compose_chosen_jobs(
    config: DictConfig, folder: Path, job_overrides: list[list[str]], first: int
) -> list[SweepJob]:
    """Return the jobs that a sweeper has chosen while it runs."""
    loader = GlobalHydra.instance().config_loader()
    recorded: list[RecordedJob] = []
    with prepare_or_exit() as errors, errors.collect():
        for number, overrides in enumerate(job_overrides, first):
            job = compose_job(loader, config, str(config.hydra.sweep.dir), number, overrides)
            prepared = prepare(job.config, sweep=True)
            recorded.append(RecordedJob(job.directory, job.overrides, prepared))
        recorded = with_launcher(recorded)
    return [SweepJob(folder / job.directory, job.overrides, job.config) for job in recorded]


def job_return(outcome: JobOutcome | None, sweeper: Any) -> JobReturn:
    """Return the value of `monitor` of a job for Hydra's sweeper, or the worst possible value."""
    result = JobReturn()
    finished = outcome is not None and outcome.state == "finished"
    result.status = JobStatus.COMPLETED
    result.return_value = worst_value(sweeper)
    if outcome is not None and finished:
        result.return_value = float("nan") if outcome.value is None else outcome.value
    return result

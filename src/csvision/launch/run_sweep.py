"""Run jobs of a sweep as `launcher=` says: retry failed ones, report each as it ends."""

from collections import Counter
from contextlib import AbstractContextManager, closing, nullcontext

from csvision.comparison.page import refresh_page
from csvision.config import launcher_schema
from csvision.launch.available import CLUSTERS
from csvision.launch.executor import Executor, Sweep
from csvision.launch.job import FAILED, JobOutcome
from csvision.launch.local import LocalExecutor
from csvision.launch.progress import SweepProgress
from csvision.launch.serial import SerialExecutor
from csvision.launch.stop_signals import stop_on_signals
from csvision.run.log import log, log_to_console


def run_sweep(
    sweep: Sweep, launcher: launcher_schema.LauncherConfig, quiet: bool = False
) -> list[JobOutcome]:
    """Run all jobs; return their outcomes in the order in which they ended.

    With `launcher.stop_on_failure`, jobs that did not start because another one failed are missing.
    A signal lets the running jobs save checkpoints; then KeyboardInterrupt or SystemExit is raised.
    """
    if not sweep.jobs:
        return []
    with (
        log_to_console(quiet),
        closing(make_executor(sweep, launcher)) as executor,
        stop_signals(executor, launcher),
    ):
        return run_jobs(sweep, launcher, executor, quiet)


def stop_signals(
    executor: Executor, launcher: launcher_schema.LauncherConfig
) -> AbstractContextManager[None]:
    """Handle signals to this process: Ctrl-C asks before it cancels the jobs of a cluster."""
    if isinstance(executor, SerialExecutor):
        return nullcontext()
    return stop_on_signals(executor.stop, ask=isinstance(launcher, CLUSTERS))


def make_executor(sweep: Sweep, launcher: launcher_schema.LauncherConfig) -> Executor:
    """Return what runs the jobs; raises ConfigError if it is not installed or not available."""
    match launcher:
        case launcher_schema.LocalLauncherConfig():
            return LocalExecutor(sweep, launcher)
        case launcher_schema.SlurmLauncherConfig():
            from csvision.launch.slurm import SlurmExecutor

            return SlurmExecutor(sweep, launcher)
        case launcher_schema.RayLauncherConfig():
            from csvision.launch.ray_cluster import RayExecutor

            return RayExecutor(sweep, launcher)
        case _:
            return SerialExecutor(sweep, launcher)


def run_jobs(
    sweep: Sweep,
    launcher: launcher_schema.LauncherConfig,
    executor: Executor,
    quiet: bool,
) -> list[JobOutcome]:
    """Run jobs with an executor."""
    outcomes: list[JobOutcome] = []
    retries: Counter[int] = Counter()
    with closing(SweepProgress(len(sweep.jobs), quiet)) as progress:
        for number in sweep.jobs:
            executor.submit(number)
        for outcome in executor.results():
            if must_retry(outcome, retries[outcome.number], launcher):
                retries[outcome.number] += 1
                progress.report_retry(outcome, retries[outcome.number], launcher.retries)
                executor.submit(outcome.number)
                continue
            outcomes.append(outcome)
            progress.report_end(outcome, sweep.jobs[outcome.number])
            refresh_page(sweep.folder)
            if launcher.stop_on_failure and outcome.state in FAILED:
                log.error(
                    "launcher.stop_on_failure=true: the sweep stops; to resume it: %s",
                    sweep.resume_command,
                )
                executor.stop()
    return outcomes


def must_retry(outcome: JobOutcome, retries: int, launcher: launcher_schema.LauncherConfig) -> bool:
    """Return whether a job is resumed; one that diverged would diverge again."""
    return outcome.state == "failed" and retries < launcher.retries

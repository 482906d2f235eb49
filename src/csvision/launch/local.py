"""Run the jobs of a sweep in worker processes of this machine."""

from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path

from csvision.config import launcher_schema
from csvision.errors import RunError
from csvision.launch.devices import lease_gpu
from csvision.launch.executor import Sweep
from csvision.launch.job import JobOutcome, failed_outcome, read_outcome, record_end, run_job
from csvision.launch.pool import WorkerPool
from csvision.launch.prepared_runs import PreparedRuns
from csvision.launch.resources import plan_workers, training_configs
from csvision.launch.time_limit import time_limit_reason
from csvision.launch.worker import Ending, TaskResult, is_orphan
from csvision.run.directory import RunDirectory
from csvision.run.sweep_jobs import SweepJob

ORPHAN_SECONDS = 0.3


class LocalExecutor:
    """Runs jobs in worker processes; a worker that dies fails its own job only."""

    def __init__(self, sweep: Sweep, launcher: launcher_schema.LocalLauncherConfig) -> None:
        self.sweep = sweep
        plan = plan_workers(launcher, training_configs(sweep.jobs.values()))
        self.parallel = plan.workers
        self.devices = plan.devices
        self.jobs_per_gpu = launcher.jobs_per_gpu
        self.minutes = launcher.time_limit_minutes
        threads = str(plan.threads)
        limits = {"OMP_NUM_THREADS": threads, "POLARS_MAX_THREADS": threads}
        self.pool = WorkerPool(plan.workers, limits if plan.threads else None)
        self.numbers: dict[int, int] = {}

    def submit(self, number: int) -> None:
        """Queue a job."""
        job, resume = self.sweep.jobs[number], self.sweep.resume_command
        call = (self.sweep.folder, job, self.devices, self.jobs_per_gpu, resume)
        seconds = None if self.minutes is None else self.minutes * 60
        self.numbers[self.pool.submit(run_in_worker, *call, time_limit=seconds)] = number

    def results(self) -> Iterator[JobOutcome]:
        """Yield the outcome of each job as it ends."""
        for result in self.pool.results():
            number = self.numbers.pop(result.ticket)
            job = self.sweep.jobs[number]
            note_end(job, result, self.minutes)
            if result.ending in (Ending.raised, Ending.died):
                yield failed_outcome(number, job, result.reason, result.seconds)
            else:
                yield read_outcome(number, job, result.seconds)

    def stop(self) -> None:
        """Start no further job and interrupt the running ones."""
        self.pool.stop()

    def close(self) -> None:
        """End the workers."""
        self.pool.close()


def note_end(job: SweepJob, result: TaskResult, minutes: float | None) -> None:
    """Record the end of a job that its process could not record."""
    match result.ending:
        case Ending.died:
            record_end(job, "failed", result.reason)
        case Ending.raised if not RunDirectory(job.directory).manifest.exists():
            record_end(job, "failed", result.reason)
        case Ending.timed_out:
            record_end(job, "interrupted", time_limit_reason(minutes or 0))


def run_in_worker(
    folder: Path, job: SweepJob, devices: Sequence[str], jobs_per_gpu: int, resume: str
) -> None:
    """Run a job of the sweep in `folder` in this worker process, on one of the GPUs if any.

    `resume` is the command that resumes the sweep.
    """
    if devices:
        lease_gpu(devices, jobs_per_gpu)
    try:
        run_job(job, prepared_runs().get_or_prepare)
    except (KeyboardInterrupt, SystemExit):
        if is_orphan():
            say_how_to_resume(folder, resume)
        raise


@cache
def prepared_runs() -> PreparedRuns:
    """Return the data that the jobs of this process share."""
    return PreparedRuns(max_splits=2)


def say_how_to_resume(folder: Path, resume: str) -> None:
    """Print how to resume a sweep whose main process was killed; one of the workers does it."""
    import sys
    import time

    try:
        # One of the workers gets the lock, which the main process has lost.
        with RunDirectory(folder).lock():
            print(f"the main process was killed; to resume the sweep: {resume}", file=sys.stderr)
            time.sleep(ORPHAN_SECONDS)
    except RunError:
        pass

"""Run the jobs of a sweep on a cluster of Ray, or on one that is started on this machine."""

import logging
import os
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from csvision.config import launcher_schema
from csvision.errors import RunError, first_line
from csvision.launch.executor import Sweep
from csvision.launch.job import JobOutcome, read_outcome, record_end, record_error, run_job
from csvision.launch.prepared_runs import PREPARED_RUNS
from csvision.launch.time_limit import TimeLimit
from csvision.run.sweep_jobs import SweepJob
from csvision.signals import handle_signals

POLL_SECONDS = 0.2


class RayExecutor:
    """Runs each job as a task of Ray; Ray keeps its worker processes warm."""

    def __init__(self, sweep: Sweep, launcher: launcher_schema.RayLauncherConfig) -> None:
        import ray

        self.ray: Any = ray
        self.sweep = sweep
        self.launcher = launcher
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
        try:
            ray.init(
                address=launcher.address or "local",
                include_dashboard=None if launcher.address else False,
                log_to_driver=False,
                logging_level=logging.ERROR,
            )
        except (ConnectionError, OSError, RuntimeError, ValueError) as error:
            raise RunError(f"launcher=ray: Ray cannot be used: {first_line(error)}") from error
        processors = int(self.ray.cluster_resources().get("CPU", 1))
        self.parallel = max(1, processors // launcher.cpus_per_job)
        self.task = ray.remote(
            num_cpus=launcher.cpus_per_job, num_gpus=launcher.gpus_per_job, max_retries=0
        )(run_in_ray)
        self.numbers: dict[Any, int] = {}
        self.started: dict[Any, float] = {}
        self.stopping = False

    def submit(self, number: int) -> None:
        """Queue a job."""
        job = self.sweep.jobs[number]
        reference = self.task.remote(job, Path.cwd(), self.launcher.time_limit_minutes)
        self.numbers[reference] = number

    def results(self) -> Iterator[JobOutcome]:
        """Yield the outcome of each job as it ends."""
        while self.numbers:
            ended, _ = self.ray.wait([*self.numbers], timeout=POLL_SECONDS)
            for reference in ended:
                yield from self.read_end(reference, self.numbers.pop(reference))
            if self.stopping:
                self.stopping = False
                for reference in self.numbers:
                    self.ray.cancel(reference, force=False, recursive=False)

    def read_end(self, reference: Any, number: int) -> Iterator[JobOutcome]:
        """Yield the outcome of a job, except of one that was cancelled before it started."""
        job, seconds = self.sweep.jobs[number], 0.0
        try:
            seconds = self.ray.get(reference)
        except self.ray.exceptions.TaskCancelledError:
            if not job.started:
                return
        except self.ray.exceptions.RayTaskError:
            # The job has recorded its error.
            pass
        except self.ray.exceptions.RayError as error:
            record_end(job, "failed", f"its process ended: {first_line(error)}")
        yield read_outcome(number, job, seconds)

    def stop(self) -> None:
        """Cancel the jobs at the next poll; may be called by a signal handler."""
        self.stopping = True

    def close(self) -> None:
        """Leave the cluster; one that was started here ends with its jobs."""
        with suppress(Exception):
            self.ray.shutdown()


def run_in_ray(job: SweepJob, folder: Path, minutes: float | None) -> float:
    """Run a job in a process of Ray, in the folder of the main process; return its seconds."""
    os.chdir(folder)
    start = time.monotonic()
    limit = TimeLimit(minutes)
    try:
        with handle_signals(), limit.applied():
            run_job(job, PREPARED_RUNS.get_or_prepare)
    except Exception as error:
        record_error(job, error)
    except SystemExit:
        # Ray treats it as the death of its process.
        if limit.reached:
            record_end(job, "interrupted", limit.reason)
    return time.monotonic() - start

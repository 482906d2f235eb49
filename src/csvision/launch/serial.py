"""Run the jobs of a sweep one after another in this process."""

import time
from collections import deque
from collections.abc import Iterator

from csvision.config import launcher_schema
from csvision.launch.executor import Sweep
from csvision.launch.job import (
    JobOutcome,
    error_reason,
    failed_outcome,
    read_outcome,
    record_end,
    record_error,
    run_job,
)
from csvision.launch.prepared_runs import PREPARED_RUNS
from csvision.launch.time_limit import TimeLimit


class SerialExecutor:
    """Runs jobs in this process; a signal ends the running job and this process."""

    def __init__(self, sweep: Sweep, launcher: launcher_schema.LauncherConfig) -> None:
        self.sweep = sweep
        self.minutes = launcher.time_limit_minutes
        self.parallel = 1
        self.queue: deque[int] = deque()

    def submit(self, number: int) -> None:
        """Queue a job."""
        self.queue.append(number)

    def results(self) -> Iterator[JobOutcome]:
        """Yield the outcome of each job as it ends."""
        while self.queue:
            yield self.run(self.queue.popleft())

    def run(self, number: int) -> JobOutcome:
        """Run a job."""
        job = self.sweep.jobs[number]
        print(f"\njob {number}: {' '.join(job.overrides)}")
        start = time.monotonic()
        limit = TimeLimit(self.minutes)
        try:
            with limit.applied():
                run_job(job, PREPARED_RUNS.get_or_prepare)
        except Exception as error:
            record_error(job, error)
            return failed_outcome(number, job, error_reason(error), time.monotonic() - start)
        except (KeyboardInterrupt, SystemExit):
            if not limit.reached:
                raise
            record_end(job, "interrupted", limit.reason)
        return read_outcome(number, job, time.monotonic() - start)

    def stop(self) -> None:
        """Start no further job."""
        self.queue.clear()

    def close(self) -> None:
        """Do nothing: no job runs outside of `results`."""

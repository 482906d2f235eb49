"""Run the jobs of a sweep one after another in this process."""

import os
import signal
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Timer, current_thread, main_thread

from csvision.config import launcher_schema
from csvision.errors import first_line
from csvision.launch.executor import Sweep
from csvision.launch.job import JobOutcome, read_outcome, record_end, run_job
from csvision.run.directory import RunDirectory
from csvision.run.prepared_runs import PREPARED_RUNS
from csvision.signals import handle_signals


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
        limit = TimeLimit(None if self.minutes is None else self.minutes * 60)
        try:
            with limit.applied():
                run_job(job, PREPARED_RUNS.get_or_prepare)
        except Exception as error:
            # The traceback is in train.log of this job.
            if not RunDirectory(job.directory).manifest.exists():
                record_end(job, "failed", first_line(error) or type(error).__name__)
        except (KeyboardInterrupt, SystemExit):
            if not limit.reached:
                raise
            reason = f"it reached its time limit of {self.minutes:g} minutes"
            record_end(job, "interrupted", reason)
        return read_outcome(number, job, time.monotonic() - start)

    def stop(self) -> None:
        """Start no further job."""
        self.queue.clear()

    def close(self) -> None:
        """Do nothing: no job runs outside of `results`."""


class TimeLimit:
    """Sends this process the signal of Slurm's time limit after some seconds, if not None."""

    def __init__(self, seconds: float | None) -> None:
        self.seconds = seconds
        self.reached = False

    def end(self) -> None:
        """Let the job save a checkpoint and end."""
        self.reached = True
        os.kill(os.getpid(), signal.SIGUSR1)

    @contextmanager
    def applied(self) -> Iterator[None]:
        """Limit the time of the block inside; Python handles signals in the main thread only."""
        if self.seconds is None or current_thread() is not main_thread():
            yield
            return
        timer = Timer(self.seconds, self.end)
        timer.daemon = True
        with handle_signals():
            timer.start()
            try:
                yield
            finally:
                timer.cancel()

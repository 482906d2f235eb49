"""A job of a sweep in a worker process, which ends when the main process asks or has ended."""

import _thread
import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread
from typing import NoReturn

from hydra.core.hydra_config import HydraConfig

from csvision.cli.console import use_safe_console
from csvision.command_hints import resume_command
from csvision.errors import RunError
from csvision.run.directory import RunDirectory
from csvision.run.recorded_code import recorded_code
from csvision.signals import SIGNALS, handle_signals

STOP_FILE = ".stop"
"""While this file is in the folder of a sweep, its workers save checkpoints and start no job."""

POLL_SECONDS = 0.1


class Worker:
    """A worker process: a thread watches the main process and interrupts the current job."""

    def __init__(self, main_pid: int, sweep: Path) -> None:
        self.main_pid = main_pid
        self.sweep = sweep
        self.in_job = False
        self.stopping = False

    def is_orphan(self) -> bool:
        """Return whether the main process has ended."""
        return os.getppid() != self.main_pid

    def must_stop(self) -> bool:
        """Return whether this worker must start no further job."""
        return self.is_orphan() or (self.sweep / STOP_FILE).exists()

    def watch(self) -> None:
        """Interrupt the current job once if it must stop; end this process if it is an orphan."""
        while True:
            time.sleep(POLL_SECONDS)
            if not self.stopping and self.must_stop():
                self.stopping = True
                if self.in_job:
                    # The signal itself is blocked, because a terminal sends it to workers, too.
                    _thread.interrupt_main(signal.SIGTERM)
            if self.stopping and not self.in_job and self.is_orphan():
                os._exit(1)

    @contextmanager
    def run_job(self) -> Iterator[None]:
        """Let the watching thread interrupt a job; an interrupted one returns to no caller."""
        try:
            with handle_signals():
                self.in_job = True
                if self.stopping or self.must_stop():
                    self.end()
                yield
        except (KeyboardInterrupt, SystemExit):
            if self.stopping:
                self.end()
            raise
        finally:
            self.in_job = False

    def end(self) -> NoReturn:
        """Wait until the main process, which has other jobs to wait for, ends this one.

        Joblib kills all workers when it sees that one has ended.
        """
        while not self.is_orphan():
            time.sleep(POLL_SECONDS)
        try:
            # One of the workers gets the lock, which the main process has lost.
            with RunDirectory(self.sweep).lock():
                resume = resume_command(self.sweep, recorded_code(self.sweep).words())
                print(f"the main process was killed; to resume the sweep: {resume}", flush=True)
                time.sleep(3 * POLL_SECONDS)
        except RunError:
            pass
        os._exit(1)


WORKERS: list[Worker] = []
"""This process as a worker, once it has started a job."""


@contextmanager
def run_in_worker(main_pid: int) -> Iterator[None]:
    """Run a job that ends with the main process; in the main process itself, change nothing."""
    if os.getpid() == main_pid:
        yield
        return
    if not WORKERS:
        signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
        config = HydraConfig.get()
        worker = Worker(main_pid, Path(config.runtime.cwd, config.sweep.dir))
        WORKERS.append(worker)
        Thread(target=worker.watch, daemon=True).start()
    with use_safe_console(), WORKERS[0].run_job():
        yield

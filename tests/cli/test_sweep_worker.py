"""A job in a worker process ends when the main process asks, or has ended."""

import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from threading import Thread
from typing import NoReturn

import pytest

from csvision.cli.sweep_worker import STOP_FILE, WORKERS, Worker, run_in_worker


class WorkerEnded(Exception):  # noqa: N818 (not an error)
    """Ends a test in the place of the process."""


@pytest.fixture
def worker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Worker:
    """Return this process as a worker of its parent process; the process itself does not end."""

    def end(self: Worker) -> NoReturn:
        raise WorkerEnded

    monkeypatch.setattr(Worker, "end", end)
    return Worker(os.getppid(), tmp_path)


def watch(worker: Worker) -> None:
    """Start the thread that watches the main process."""
    Thread(target=worker.watch, daemon=True).start()


def test_job_in_the_main_process_is_not_watched() -> None:
    with run_in_worker(os.getpid()):
        pass
    assert WORKERS == []


@pytest.mark.slow
def test_job_runs_to_its_end_while_the_main_process_runs(worker: Worker) -> None:
    watch(worker)
    with worker.run_job():
        time.sleep(0.4)
    assert not worker.stopping


def run_job(worker: Worker, job: Callable[[], None]) -> None:
    """Run a job in a worker."""
    with worker.run_job():
        job()


def test_running_job_is_interrupted(worker: Worker, tmp_path: Path) -> None:
    watch(worker)

    def stop() -> None:
        (tmp_path / STOP_FILE).touch()
        while True:
            time.sleep(0.01)

    with pytest.raises(WorkerEnded):
        run_job(worker, stop)
    assert worker.stopping
    assert not worker.in_job


def test_no_job_starts_after_the_sweep_was_stopped(worker: Worker, tmp_path: Path) -> None:
    (tmp_path / STOP_FILE).touch()
    with pytest.raises(WorkerEnded):
        run_job(worker, lambda: pytest.fail("the job has started"))


def test_orphan_must_stop(tmp_path: Path) -> None:
    assert not Worker(os.getppid(), tmp_path).must_stop()
    assert Worker(os.getpid(), tmp_path).must_stop()


def test_exit_of_a_job_reaches_the_caller(worker: Worker) -> None:
    with pytest.raises(SystemExit) as ended:
        run_job(worker, lambda: sys.exit(2))
    assert ended.value.code == 2

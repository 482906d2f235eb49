"""Worker processes: they stay warm, they die alone, and they end with the main process."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from csvision.launch.pool import WorkerPool
from csvision.launch.worker import Ending, TaskResult


@pytest.fixture
def pool() -> Iterator[WorkerPool]:
    with WorkerPool(1) as pool:
        yield pool


def only_result(pool: WorkerPool) -> TaskResult:
    (result,) = pool.results()
    return result


def touch_and_wait(path: Path, end: Path) -> None:
    """Create a file, then wait until another one exists or a signal arrives."""
    path.write_text(str(os.getpid()), encoding="utf-8")
    while not end.exists():
        time.sleep(0.01)


@pytest.mark.slow
def test_results_arrive_as_tasks_end() -> None:
    with WorkerPool(2) as pool:
        slow, quick = pool.submit(time.sleep, 0.5), pool.submit(time.sleep, 0)
        assert [result.ticket for result in pool.results()] == [quick, slow]


def test_tasks_of_a_worker_share_its_process(pool: WorkerPool) -> None:
    for _ in range(3):
        pool.submit(os.getpid)
    pids = {result.value for result in pool.results()}
    assert len(pids) == 1
    assert os.getpid() not in pids


def test_tasks_can_be_submitted_while_results_arrive(pool: WorkerPool) -> None:
    pool.submit(abs, -1)
    values = []
    for result in pool.results():
        values.append(result.value)
        if result.value < 3:
            pool.submit(abs, -result.value - 1)
    assert values == [1, 2, 3]


def test_exception_becomes_a_reason(pool: WorkerPool) -> None:
    pool.submit(int, "x")
    result = only_result(pool)
    assert result.ending is Ending.raised
    assert result.reason == "invalid literal for int() with base 10: 'x'"


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGABRT])
def test_worker_that_dies_fails_its_own_task_only(pool: WorkerPool, number: int) -> None:
    killed = pool.submit(signal.raise_signal, number)
    pool.submit(abs, -1)
    died, done = pool.results()
    assert (died.ticket, died.ending) == (killed, Ending.died)
    assert signal.Signals(number).name in died.reason
    assert (done.ending, done.value) == (Ending.done, 1)


def test_exit_code_of_a_worker_is_named(pool: WorkerPool) -> None:
    pool.submit(os._exit, 7)
    assert "exit code 7" in only_result(pool).reason


def test_idle_worker_that_dies_is_replaced(pool: WorkerPool) -> None:
    pool.submit(os.getpid)
    pid = only_result(pool).value
    os.kill(pid, signal.SIGKILL)
    while psutil.Process(pid).status() != psutil.STATUS_ZOMBIE:
        time.sleep(0.01)
    pool.submit(os.getpid)
    result = only_result(pool)
    assert result.ending is Ending.done
    assert result.value != pid


@pytest.mark.slow
def test_task_is_interrupted_at_its_time_limit(pool: WorkerPool, tmp_path: Path) -> None:
    pool.submit(touch_and_wait, tmp_path / "started", tmp_path / "end", time_limit=0.5)
    pool.submit(abs, -1)
    limited, done = pool.results()
    assert limited.ending is Ending.timed_out
    assert done.value == 1


def test_stop_interrupts_running_tasks_and_drops_the_others(
    pool: WorkerPool, tmp_path: Path
) -> None:
    pool.submit(abs, -1)
    pool.submit(touch_and_wait, tmp_path / "started", tmp_path / "end")
    pool.submit(abs, -1)
    endings = []
    for result in pool.results():
        endings.append(result.ending)
        pool.stop()
    assert endings in ([Ending.done, Ending.stopped], [Ending.done])


def test_workers_ignore_signals_of_a_terminal(pool: WorkerPool) -> None:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1):
        pool.submit(os.kill, 0, 0)
        pool.submit(signal.raise_signal, number)
    assert {result.ending for result in pool.results()} == {Ending.done}


ORPHANING = """
import sys
from pathlib import Path
from csvision.launch.pool import WorkerPool
from tests.launch.test_pool import touch_and_wait
with WorkerPool(1) as pool:
    pool.submit(touch_and_wait, Path("started"), Path("end"))
    for result in pool.results():
        pass
"""


@pytest.mark.slow
def test_worker_ends_when_the_main_process_is_killed(tmp_path: Path) -> None:
    root = Path(__file__).parents[2]
    environment = os.environ | {"PYTHONPATH": str(root)}
    program = subprocess.Popen([sys.executable, "-c", ORPHANING], env=environment)
    while not (
        text := (tmp_path / "started").read_text("utf-8") if (tmp_path / "started").exists() else ""
    ):
        time.sleep(0.02)
    worker = psutil.Process(int(text))
    program.kill()
    program.wait()
    worker.wait(timeout=5)

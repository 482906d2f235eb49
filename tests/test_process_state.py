"""One thread at a time, no fork after use, and imports without side effects."""

import os
import random
import subprocess
import sys
import threading
import time
import warnings

import pytest

from csvision.errors import RunError
from csvision.process_state import PROCESS, exclusive, isolate_import, use_threads


def test_threads_wait_for_each_other() -> None:
    active: list[int] = []
    most: list[int] = []

    def work() -> None:
        with exclusive():
            active.append(1)
            most.append(len(active))
            time.sleep(0.01)
            active.pop()

    threads = [threading.Thread(target=work) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == [1] * 5


def test_one_thread_may_enter_twice() -> None:
    with exclusive(), exclusive():
        pass


@pytest.fixture
def process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let this process be as it was at its start, and restore it afterwards."""
    for name in ("lock", "has_threads", "lost_threads"):
        monkeypatch.setattr(PROCESS, name, type(getattr(PROCESS, name))())


@pytest.mark.usefixtures("process")
class TestFork:
    def test_before_the_first_use_is_allowed(self) -> None:
        PROCESS.after_fork()
        use_threads()

    def test_after_use_is_refused(self) -> None:
        use_threads()
        PROCESS.after_fork()
        with pytest.raises(RunError, match=f"process {os.getpid()} was forked after csvision"):
            use_threads()

    def test_of_a_refused_process_is_refused(self) -> None:
        use_threads()
        PROCESS.after_fork()
        PROCESS.has_threads = False
        PROCESS.after_fork()
        with pytest.raises(RunError, match="was forked"):
            use_threads()

    def test_while_another_thread_works_leaves_no_lock(self) -> None:
        ready, end = threading.Event(), threading.Event()

        def work() -> None:
            with exclusive():
                ready.set()
                end.wait(10)

        thread = threading.Thread(target=work)
        thread.start()
        ready.wait(10)
        PROCESS.after_fork()
        assert PROCESS.lock.acquire(timeout=1)
        PROCESS.lock.release()
        end.set()
        thread.join()


def test_imports_change_neither_random_numbers_nor_warnings() -> None:
    before = random.getstate(), list(warnings.filters)
    with isolate_import():
        random.random()
        warnings.simplefilter("ignore")
    assert (random.getstate(), list(warnings.filters)) == before


CODE = """
import random, warnings
before = random.getstate(), list(warnings.filters), warnings.showwarning
import csvision
csvision.train
assert (random.getstate(), list(warnings.filters), warnings.showwarning) == before
"""


@pytest.mark.slow
def test_first_use_of_a_name_changes_neither_random_numbers_nor_warnings() -> None:
    subprocess.run([sys.executable, "-c", CODE], check=True)

"""Serialize the calls of csvision over threads; refuse to run in a process forked after its use.

Log handlers, warning filters, Hydra's state and the global random generators belong to all threads.
The threads of Polars and torch do not survive a fork: their next use would wait forever.
"""

import os
import random
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

from csvision.errors import RunError


class Process:
    """The lock of this process, and whether it, or the process it was forked from, used threads."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.has_threads = False
        self.lost_threads = False

    def after_fork(self) -> None:
        """Note that only the thread that called fork exists in this process."""
        self.lock = threading.RLock()
        self.lost_threads = self.lost_threads or self.has_threads


PROCESS = Process()

os.register_at_fork(after_in_child=PROCESS.after_fork)


@contextmanager
def exclusive() -> Iterator[None]:
    """Wait until no other thread uses csvision; for functions that change what threads share."""
    with PROCESS.lock:
        yield


def use_threads() -> None:
    """Allow the use of Polars and torch; raises RunError if they would wait forever."""
    if PROCESS.lost_threads:
        raise RunError(
            f"process {os.getpid()} was forked after csvision was used, and its threads are lost; "
            "start it with multiprocessing.get_context('spawn')"
        )
    PROCESS.has_threads = True


@contextmanager
def isolate_import() -> Iterator[None]:
    """Undo what imports of dependencies do to random numbers and warning filters of the caller."""
    state = random.getstate()
    try:
        with warnings.catch_warnings():
            yield
    finally:
        random.setstate(state)

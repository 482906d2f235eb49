"""Worker processes that stay warm: each imports torch once and then runs one task after another.

A worker that dies fails its own task only; another one takes its place. Unlike the workers of
multiprocessing, these import nothing of the program that started them, so that programs need no
`if __name__ == "__main__"`.
"""

import os
import pickle
import signal
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection, Pipe, wait
from types import TracebackType
from typing import Any, Self

from csvision.launch.worker import PROGRAM, Ending, Interrupt, Started, Task, TaskResult, pack
from csvision.signals import block_signals

POLL_SECONDS = 0.2

GRACE_SECONDS = 60.0
"""How long an interrupted task may take to save its checkpoint before its worker is killed."""


@dataclass
class QueuedTask:
    """A task that waits for a worker."""

    task: Task
    time_limit: float | None
    was_lost: bool = False


class WorkerHandle:
    """A worker process, seen from the main process, and the task that it runs."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self.connection, child = Pipe()
        descriptor = child.fileno()
        program = PROGRAM.format(path=sys.path, descriptor=descriptor)
        with block_signals():
            self.process = subprocess.Popen(
                [sys.executable, "-c", program],
                env=os.environ | environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                pass_fds=[descriptor],
            )
        child.close()
        self.queued: QueuedTask | None = None
        self.started: float | None = None
        self.interrupted: Ending | None = None
        self.interrupt_time = 0.0

    def start_task(self, queued: QueuedTask) -> bool:
        """Send a task; return False if the worker has died."""
        if self.process.poll() is not None:
            return False
        try:
            self.connection.send(queued.task)
        except OSError:
            return False
        # Until the worker is ready, no time passes.
        self.queued, self.started, self.interrupted = queued, None, None
        return True

    def interrupt(self, ending: Ending) -> None:
        """Ask the current task to save a checkpoint and end; `ending` is the reason."""
        if self.queued is not None and self.interrupted is None:
            self.interrupted = ending
            self.interrupt_time = time.monotonic()
            with suppress(OSError):
                self.connection.send(Interrupt(self.queued.task.ticket))

    def enforce_time_limit(self) -> None:
        """Interrupt a task that has reached its limit; kill it if it does not end."""
        now = time.monotonic()
        if self.queued is None or self.started is None:
            return
        limit = self.queued.time_limit
        if self.interrupted is not None:
            if now - self.interrupt_time > GRACE_SECONDS:
                self.process.kill()
        elif limit is not None and now - self.started > limit:
            self.interrupt(Ending.timed_out)

    def receive(self) -> TaskResult | None:
        """Return the result of the task, which has ended, or whose worker has died.

        Returns None if the task has only started.
        """
        assert self.queued is not None
        ticket, interrupted = self.queued.task.ticket, self.interrupted
        try:
            result: TaskResult | Started = self.connection.recv()
        except (EOFError, OSError, pickle.UnpicklingError):
            self.queued = None
            self.kill()
            seconds = 0.0 if self.started is None else time.monotonic() - self.started
            reason = describe_death(self.process.returncode)
            return TaskResult(ticket, Ending.died, None, reason, seconds)
        if isinstance(result, Started):
            self.started = time.monotonic()
            return None
        self.queued = None
        if result.ending is Ending.stopped and interrupted is not None:
            return replace(result, ending=interrupted)
        return result

    def kill(self) -> None:
        """End the process, which may have ended already."""
        self.connection.close()
        with suppress(subprocess.TimeoutExpired):
            # A dying process may need a moment until its exit code is known.
            self.process.wait(timeout=1.0)
            return
        self.process.kill()
        self.process.wait()


class WorkerPool:
    """Runs tasks in worker processes; the order of the results is that in which tasks end.

    A task is a function of an importable module with arguments that can be pickled. Workers are
    started when they are needed, or by `start`; they have `environment` in addition to the
    environment of this process. Their standard output is discarded. The caller handles signals to
    this process and may call `stop`.
    """

    def __init__(self, size: int, environment: Mapping[str, str] | None = None) -> None:
        self.size = size
        self.environment = environment or {}
        self.queue: deque[QueuedTask] = deque()
        self.workers: list[WorkerHandle] = []
        self.tickets = 0
        self.stopping = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """End all workers; a task that still runs loses what it has not saved."""
        for worker in self.workers:
            if worker.queued is not None:
                worker.process.kill()
            worker.connection.close()
        for worker in self.workers:
            worker.kill()
        self.workers.clear()

    def start(self) -> None:
        """Start all workers now, so that they are ready for the first tasks."""
        while len(self.workers) < self.size:
            self.workers.append(WorkerHandle(self.environment))

    def submit(
        self, function: Callable[..., Any], *arguments: Any, time_limit: float | None = None
    ) -> int:
        """Queue a task; return its ticket, which its result has, too.

        After `time_limit` seconds it is interrupted: training saves a checkpoint.
        """
        self.tickets += 1
        task = Task(self.tickets, pack(function, arguments))
        self.queue.append(QueuedTask(task, time_limit))
        return self.tickets

    def results(self) -> Iterator[TaskResult]:
        """Yield the result of each task as it ends, until none is left.

        Tasks may be submitted meanwhile.
        """
        while True:
            self.assign_tasks()
            busy = {w.connection: w for w in self.workers if w.queued is not None}
            if not busy:
                return
            for ready in wait(list(busy), timeout=POLL_SECONDS):
                assert isinstance(ready, Connection)
                worker = busy[ready]
                queued = worker.queued
                result = worker.receive()
                if result is None:
                    continue
                if result.ending is Ending.died:
                    self.workers.remove(worker)
                    assert queued is not None
                    # The idle worker was dying when it got the task; once, because a worker may
                    # also die whenever it starts.
                    if worker.started is None and not queued.was_lost:
                        self.queue.appendleft(replace(queued, was_lost=True))
                        continue
                yield result
            for worker in busy.values():
                if self.stopping:
                    worker.interrupt(Ending.stopped)
                worker.enforce_time_limit()

    def stop(self) -> None:
        """Start no further task and interrupt the running ones; their results still arrive.

        Tasks that have not started have no result. May be called by a signal handler.
        """
        self.stopping = True

    def assign_tasks(self) -> None:
        """Give tasks to idle workers; start workers while there are not enough."""
        while self.queue and not self.stopping:
            worker = next((each for each in self.workers if each.queued is None), None)
            if worker is None:
                if len(self.workers) >= self.size:
                    return
                worker = WorkerHandle(self.environment)
                self.workers.append(worker)
            if worker.start_task(self.queue[0]):
                self.queue.popleft()
            else:
                self.workers.remove(worker)
                worker.kill()


def describe_death(code: int) -> str:
    """Say how a worker process ended."""
    if code == -signal.SIGKILL:
        return "its process was killed by SIGKILL (by the system, if memory ran out)"
    if code < 0:
        return f"its process was killed by {signal.Signals(-code).name}"
    return f"its process ended with exit code {code}"

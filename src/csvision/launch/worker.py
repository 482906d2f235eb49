"""A worker process: it runs one task after another and ends with the process that started it."""

import _thread
import os
import pickle
import signal
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from multiprocessing.connection import Connection
from queue import SimpleQueue
from threading import Thread
from typing import Any

from csvision.errors import first_line
from csvision.garbage_collection import collect_rarely
from csvision.signals import SIGNALS, handle_signals

PROGRAM = """
import os, sys
sys.path[:] = {path!r}
from csvision.launch.worker import main
main({descriptor})
"""
"""What the new Python process executes; it imports nothing of the program that started it."""


class Ending(StrEnum):
    """How a task ended."""

    done = "done"
    raised = "raised"
    stopped = "stopped"
    timed_out = "timed_out"
    died = "died"


@dataclass(frozen=True)
class Task:
    """A task on its way to a worker: `call` is the pickled function with its arguments."""

    ticket: int
    call: bytes


@dataclass(frozen=True)
class Interrupt:
    """A request to end the task of this ticket; it saves a checkpoint first."""

    ticket: int


@dataclass(frozen=True)
class Started:
    """The message that the task of this ticket has started."""

    ticket: int


@dataclass(frozen=True)
class TaskResult:
    """What a task returned, or why it did not return; `seconds` is its time in the worker."""

    ticket: int
    ending: Ending
    value: Any = None
    reason: str = ""
    seconds: float = 0.0


class Worker:
    """This process as a worker: a thread listens to the main process while a task runs."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.tasks: SimpleQueue[Task | None] = SimpleQueue()
        self.ticket: int | None = None
        self.interrupted: int | None = None
        self.is_orphan = False

    def listen(self) -> None:
        """Receive tasks and interrupts until the main process closes the connection or ends."""
        try:
            while True:
                match self.connection.recv():
                    case Task() as task:
                        self.tasks.put(task)
                    case Interrupt(ticket):
                        self.interrupt(ticket)
        except (EOFError, OSError):
            self.is_orphan = True
            self.tasks.put(None)
            if self.ticket is not None:
                _thread.interrupt_main(signal.SIGTERM)

    def interrupt(self, ticket: int) -> None:
        """Interrupt a task, which may not have started yet."""
        self.interrupted = ticket
        if ticket == self.ticket:
            # Real signals are blocked, because a terminal sends them to workers, too.
            _thread.interrupt_main(signal.SIGTERM)

    def run(self) -> None:
        """Run tasks until there are no more."""
        Thread(target=self.listen, daemon=True).start()
        while (task := self.tasks.get()) is not None and not self.is_orphan:
            self.connection.send(Started(task.ticket))
            result = self.run_task(task)
            if self.is_orphan:
                return
            self.connection.send(result)

    def run_task(self, task: Task) -> TaskResult:
        """Run a task; no exception leaves it."""
        value, reason, ending = None, "", Ending.done
        start = time.monotonic()
        self.ticket = task.ticket
        try:
            with handle_signals():
                if self.interrupted == task.ticket:
                    raise SystemExit(128 + signal.SIGTERM)
                function, arguments = pickle.loads(task.call)
                value = function(*arguments)
        except KeyboardInterrupt:
            ending = Ending.stopped
        except SystemExit as error:
            stopped = error.code == 128 + signal.SIGTERM
            ending = Ending.stopped if stopped else Ending.raised
            reason = "" if stopped else f"the code ended the process with exit code {error.code}"
        except BaseException as error:
            ending, reason = Ending.raised, first_line(error) or type(error).__name__
        finally:
            self.ticket = None
        return TaskResult(task.ticket, ending, value, reason, time.monotonic() - start)


WORKERS: list[Worker] = []
"""This process as a worker; empty in other processes."""


def is_orphan() -> bool:
    """Return whether this is a worker process whose main process has ended."""
    return any(worker.is_orphan for worker in WORKERS)


def main(descriptor: int) -> None:
    """Run as a worker that is connected to the main process by an open file descriptor."""
    collect_rarely()
    os.set_inheritable(descriptor, False)
    signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
    # For an interrupt that arrives just after the end of its task.
    signal.signal(signal.SIGTERM, ignore_signal)
    worker = Worker(Connection(descriptor))
    WORKERS.append(worker)
    worker.run()
    sys.stdout.flush()
    sys.stderr.flush()
    # Threads of libraries would otherwise delay the end.
    os._exit(0)


def ignore_signal(*_: object) -> None:
    """Ignore a signal; a function, because Python reports SIG_IGN as an error here."""


def pack(function: Callable[..., Any], arguments: Sequence[Any]) -> bytes:
    """Return a call in pickled form; functions are found by module and name."""
    return pickle.dumps((function, tuple(arguments)))

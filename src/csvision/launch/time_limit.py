"""A time limit for a job in this process: at its end, the job saves a checkpoint and ends."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Timer, current_thread, main_thread

from csvision.signals import handle_signals


class TimeLimit:
    """Sends this process the signal of Slurm's time limit after some minutes, if not None."""

    def __init__(self, minutes: float | None) -> None:
        self.minutes = minutes
        self.reached = False

    @property
    def reason(self) -> str:
        """Say that the job has reached its limit."""
        return time_limit_reason(self.minutes or 0)

    def end(self) -> None:
        """Let the job save a checkpoint and end."""
        self.reached = True
        os.kill(os.getpid(), signal.SIGUSR1)

    @contextmanager
    def applied(self) -> Iterator[None]:
        """Limit the time of the block inside, which then raises SystemExit.

        Does nothing in a thread other than the main one, in which Python handles no signals.
        """
        if self.minutes is None or current_thread() is not main_thread():
            yield
            return
        timer = Timer(self.minutes * 60, self.end)
        timer.daemon = True
        with handle_signals():
            timer.start()
            try:
                yield
            finally:
                timer.cancel()


def time_limit_reason(minutes: float) -> str:
    """Say that a job has reached its time limit."""
    return f"it reached its time limit of {minutes:g} minutes"

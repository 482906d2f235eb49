"""Signals to the process that waits for jobs: the first one lets the jobs save checkpoints."""

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

from csvision.signals import RunInterrupted, SignalState, handle_signals

MESSAGE = "saving checkpoints of the running jobs; repeat to stop now"


class StopSignals(SignalState):
    """Calls `stop` for the first signal and ends the process for the second one."""

    def __init__(self, stop: Callable[[], None], message: str) -> None:
        super().__init__()
        self.stop = stop
        self.message = message

    def handle(self, number: int, frame: FrameType | None) -> None:
        """Ask the jobs to stop; end immediately for a second signal."""
        if self.pending is not None:
            raise RunInterrupted(number)
        self.pending = number
        print(f"{signal.Signals(number).name}: {self.message}")
        self.stop()


@contextmanager
def stop_on_signals(stop: Callable[[], None], message: str = MESSAGE) -> Iterator[None]:
    """Call `stop` when a signal arrives; end this process when the block inside has ended.

    The exception is KeyboardInterrupt for Ctrl-C and SystemExit(128 + number) otherwise.
    """
    signals = StopSignals(stop, message)
    with handle_signals(signals):
        yield
        if signals.pending is not None:
            raise RunInterrupted(signals.pending)

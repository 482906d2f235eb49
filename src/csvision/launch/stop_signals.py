"""Signals to the process that waits for jobs: the first one lets the jobs save checkpoints."""

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

from csvision.signals import RunInterrupted, SignalState, handle_signals

QUESTION = (
    "the jobs on the cluster continue; press Ctrl-C again to cancel them, or wait for their results"
)


class StopSignals(SignalState):
    """Calls `stop` for the first signal and ends the process for the second one.

    With `ask`, the first Ctrl-C only asks whether the jobs are to be stopped.
    """

    def __init__(self, stop: Callable[[], None], ask: bool) -> None:
        super().__init__()
        self.stop = stop
        self.ask = ask

    def handle(self, number: int, frame: FrameType | None) -> None:
        """Ask, or let the jobs stop; end immediately for the next signal."""
        if self.pending is not None:
            raise RunInterrupted(number)
        name = signal.Signals(number).name
        if self.ask and number == signal.SIGINT:
            self.ask = False
            print(f"{name}: {QUESTION}")
            return
        self.pending = number
        print(f"{name}: saving checkpoints of the running jobs; repeat to stop now")
        self.stop()


@contextmanager
def stop_on_signals(stop: Callable[[], None], ask: bool = False) -> Iterator[None]:
    """Call `stop` when a signal arrives; end this process when the block inside has ended.

    The exception is KeyboardInterrupt for Ctrl-C and SystemExit(128 + number) otherwise.
    """
    signals = StopSignals(stop, ask)
    with handle_signals(signals):
        yield
        if signals.pending is not None:
            raise RunInterrupted(signals.pending)

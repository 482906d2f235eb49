"""Ctrl-C, SIGTERM, SIGUSR1 and SIGHUP end this process; while a run trains, it saves first."""

import logging
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from threading import current_thread, main_thread
from types import FrameType

log = logging.getLogger("csvision")

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGUSR1, signal.SIGHUP)
"""Ctrl-C, a request to end, Slurm's signal before its time limit (--signal=USR1@60), and the end of
the terminal."""


class RunInterrupted(BaseException):
    """A signal that ends the process; not an Exception, which handlers treat as an error."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.reported = False
        """Whether a line has said how to resume."""
        super().__init__(signal.Signals(number).name)


class ReportedInterrupt(KeyboardInterrupt):
    """Ctrl-C, after a line has said how to resume: the command prints no other line."""


class SignalState:
    """The signal received, if any; while `deferring`, it waits until a checkpoint can be saved."""

    def __init__(self) -> None:
        self.deferring = False
        self.pending: int | None = None
        # A signal that the parent process ignores stays ignored: nohup ignores SIGHUP.
        self.before = {
            number: handler
            for number in SIGNALS
            if (handler := signal.getsignal(number)) not in (signal.SIG_IGN, None)
        }

    def install(self) -> None:
        """Install the handlers in the main thread; Python allows it in no other thread."""
        if current_thread() is main_thread():
            for number in self.before:
                signal.signal(number, self.handle)

    def restore(self) -> None:
        """Install the handlers of before."""
        if current_thread() is main_thread():
            for number, handler in self.before.items():
                signal.signal(number, handler)

    def handle(self, number: int, frame: FrameType | None) -> None:
        """Keep a signal, or end immediately for a second signal or when not deferring."""
        if not self.deferring or self.pending is not None:
            raise RunInterrupted(number)
        self.pending = number
        log.warning("%s: saving a checkpoint; repeat to stop now", signal.Signals(number).name)


@contextmanager
def handle_signals(state: SignalState | None = None) -> Iterator[SignalState]:
    """Handle signals; convert RunInterrupted to KeyboardInterrupt or SystemExit(128 + number)."""
    state = state or SignalState()
    state.install()
    try:
        yield state
    except RunInterrupted as interrupted:
        if interrupted.number == signal.SIGINT:
            error = ReportedInterrupt if interrupted.reported else KeyboardInterrupt
            raise error(str(interrupted)) from None
        raise SystemExit(128 + interrupted.number) from None
    except SystemExit as error:
        # Lightning converts a KeyboardInterrupt of other code to SystemExit.
        if isinstance(error.__context__, KeyboardInterrupt):
            raise error.__context__ from None
        raise
    finally:
        state.restore()


@contextmanager
def block_signals() -> Iterator[None]:
    """Block the signals in this thread: processes that it starts ignore them from their start."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)

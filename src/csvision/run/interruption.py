"""Ctrl-C and the signals that end a process: a run under way saves before it ends."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from threading import current_thread, main_thread
from types import FrameType
from typing import Any

from lightning import Callback, LightningModule, Trainer

from csvision.run.checkpoints import Checkpoints
from csvision.run.log import log

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGUSR1)
"""Ctrl-C, the polite end, and what Slurm sends before its time limit (--signal=USR1@60)."""


class Interrupted(BaseException):
    """A signal that ends the process; no Exception, so that nothing takes it for a fault."""

    def __init__(self, number: int) -> None:
        self.number = number
        super().__init__(signal.Signals(number).name)


class Interruption:
    """Whether a signal has come; while `deferring` it waits for a moment at which to save."""

    def __init__(self) -> None:
        self.deferring = False
        self.pending: int | None = None

    def catch(self) -> None:
        """Take the signals, in the main thread; Python lets no other one catch them."""
        if current_thread() is main_thread():
            for number in SIGNALS:
                signal.signal(number, self.handle)

    def handle(self, number: int, frame: FrameType | None) -> None:
        """Note a signal, or end at once: the second time, and when there is nothing to wait for."""
        if not self.deferring or self.pending is not None:
            raise Interrupted(number)
        self.pending = number
        log.warning("%s: saving; once more ends at once", signal.Signals(number).name)


class SaveWhenInterrupted(Callback):
    """Ends a fit after the batch in which a signal came, its state saved."""

    def __init__(self, interruption: Interruption, checkpoints: Checkpoints) -> None:
        self.interruption = interruption
        self.checkpoints = checkpoints

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Let signals wait, if this process trains alone: several would stop at other batches.

        Lightning has taken SIGTERM for itself and would break off before the epoch is saved.
        """
        if trainer.world_size == 1:
            self.interruption.deferring = True
            self.interruption.catch()

    def on_train_batch_end(self, trainer: Trainer, *args: Any) -> None:
        """Save and end; the last batch of an epoch waits for what belongs to the epoch."""
        if self.interruption.pending is not None and not trainer.is_last_batch:
            self.checkpoints.save_last(trainer)
            raise Interrupted(self.interruption.pending)

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """End; Checkpoints has saved."""
        if self.interruption.pending is not None:
            raise Interrupted(self.interruption.pending)

    def on_train_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Nothing waits any more."""
        self.interruption.deferring = False

    def on_exception(
        self, trainer: Trainer, pl_module: LightningModule, exception: BaseException
    ) -> None:
        """Nothing waits any more."""
        self.interruption.deferring = False


@contextmanager
def interruptible() -> Iterator[Interruption]:
    """Catch the signals; what one ends leaves as KeyboardInterrupt, or SystemExit(128 + number)."""
    interruption = Interruption()
    before = {number: signal.getsignal(number) for number in SIGNALS}
    interruption.catch()
    try:
        yield interruption
    except Interrupted as ended:
        if ended.number == signal.SIGINT:
            raise KeyboardInterrupt from None
        raise SystemExit(128 + ended.number) from None
    except SystemExit as error:
        # Lightning's answer to a KeyboardInterrupt that other code raised.
        if isinstance(error.__context__, KeyboardInterrupt):
            raise error.__context__ from None
        raise
    finally:
        if current_thread() is main_thread():
            for number, handler in before.items():
                signal.signal(number, handler)

"""Ctrl-C and the signals that end a process: a run under way saves before it ends."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
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
        """Let signals wait; processes that share the rows do not get them at the same batch."""
        self.interruption.deferring = trainer.world_size == 1

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
    """Catch the signals; what one ends leaves as KeyboardInterrupt, or SystemExit(128 + number).

    Outside the main thread, where Python lets no one catch them, they are left as they are.
    """
    interruption = Interruption()
    before = {}
    try:
        for number in SIGNALS:
            before[number] = signal.signal(number, interruption.handle)
    except ValueError:
        pass
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
        for number, handler in before.items():
            signal.signal(number, handler)

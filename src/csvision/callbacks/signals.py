"""Save a checkpoint before a signal ends the process."""

from typing import Any

from lightning import Callback, LightningModule, Trainer

from csvision.callbacks.checkpoint import CheckpointCallback
from csvision.signals import RunInterrupted, SignalState


class SaveOnSignal(Callback):
    """Ends the fit after the batch in which a signal was received, with a checkpoint saved."""

    def __init__(self, signals: SignalState, checkpoints: CheckpointCallback) -> None:
        self.signals = signals
        self.checkpoints = checkpoints

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Defer signals if there is one process; several would stop at different batches.

        Lightning has installed its own handler for SIGTERM, which would stop before the checkpoint.
        """
        if trainer.world_size == 1:
            self.signals.deferring = True
            self.signals.install()

    def on_train_batch_end(self, trainer: Trainer, *args: Any) -> None:
        """Save and stop, except after the last batch: the end of the epoch follows."""
        if self.signals.pending is not None and not trainer.is_last_batch:
            self.checkpoints.save_last(trainer)
            raise RunInterrupted(self.signals.pending)

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Save and stop."""
        if self.signals.pending is not None:
            self.checkpoints.save_last(trainer)
            raise RunInterrupted(self.signals.pending)

    def on_train_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Stop deferring."""
        self.signals.deferring = False

    def on_exception(
        self, trainer: Trainer, pl_module: LightningModule, exception: BaseException
    ) -> None:
        """Stop deferring."""
        self.signals.deferring = False

"""Stop training when the monitored metric has not improved for some epochs."""

import logging
from typing import Any, Literal

from lightning import Callback, LightningModule, Trainer

from csvision.config.monitor import is_better, worst_value

log = logging.getLogger("csvision")


class EarlyStoppingCallback(Callback):
    """Stops after `patience` epochs without an improvement of `monitor` by more than `min_delta`.

    Unlike Lightning's, it comes before the checkpoint of the epoch: a resumed run counts the same
    epochs, and a run that was interrupted after it had stopped does not train on.
    """

    def __init__(
        self, monitor: str, mode: Literal["min", "max"], patience: int, min_delta: float
    ) -> None:
        self.monitor = monitor
        self.mode = mode
        self.patience = patience
        self.min_delta = min_delta
        self.best = worst_value(mode)
        self.best_epoch = 0
        self.epoch = 0

    def state_dict(self) -> dict[str, Any]:
        """Return the best value, its epoch and the last epoch, both from 1."""
        return {"best": self.best, "best_epoch": self.best_epoch, "epoch": self.epoch}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Restore the state."""
        self.best = state_dict["best"]
        self.best_epoch = state_dict["best_epoch"]
        self.epoch = state_dict["epoch"]

    @property
    def has_stopped(self) -> bool:
        """Whether too many epochs have passed since the best one."""
        return self.epoch - self.best_epoch >= self.patience

    def on_fit_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Train no further if a resumed run had stopped."""
        trainer.should_stop = self.has_stopped

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Compare the epoch with the best one; Lightning has run the validation before."""
        value = float(trainer.callback_metrics[self.monitor])
        self.epoch = trainer.current_epoch + 1
        if is_better(value, self.best, self.mode, self.min_delta):
            self.best, self.best_epoch = value, self.epoch
        if self.has_stopped:
            trainer.should_stop = True
            log.info(
                "stopped after epoch %d: %s has not improved since epoch %d",
                self.epoch,
                self.monitor,
                self.best_epoch,
            )

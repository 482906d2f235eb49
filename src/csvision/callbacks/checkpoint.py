"""Save checkpoints during training: complete files of tensors and plain values."""

import json
import os
import time
from pathlib import Path
from typing import Any, Literal

from lightning import Callback, LightningModule, Trainer

from csvision.config.monitor import is_better, worst_value

MAX_SAVE_FRACTION = 0.02
"""The largest fraction of the time that saving last.ckpt after each epoch may take."""


class CheckpointCallback(Callback):
    """Saves last.ckpt after each epoch and every `interval_seconds`, and best.ckpt.

    After epochs that are short compared with the time of saving, last.ckpt is saved less often, but
    always after the first and the last one: a killed run repeats some of these epochs when it is
    resumed. The checkpoint before last.ckpt is kept as previous.ckpt. Each file contains `config`.
    `monitor` decides the best epoch; `has_val` is whether there is a validation split.
    """

    def __init__(
        self,
        folder: Path,
        config: dict[str, Any],
        interval_seconds: float,
        has_val: bool,
        monitor: str = "val/acc",
        mode: Literal["min", "max"] = "max",
    ) -> None:
        self.folder = folder
        # Stored with the weights to detect a modified run.json.
        self.config = json.dumps(config)
        self.interval_seconds = interval_seconds
        self.has_val = has_val
        self.monitor = monitor
        self.mode = mode
        self.best = worst_value(mode)
        self.last_save = 0.0
        self.save_seconds = 0.0
        self.saved_step = -1

    def state_dict(self) -> dict[str, Any]:
        """Return the best value of `monitor` so far."""
        return {"best": self.best}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Restore the best value of `monitor` so far."""
        self.best = state_dict["best"]

    def on_save_checkpoint(
        self, trainer: Trainer, pl_module: LightningModule, checkpoint: dict[str, Any]
    ) -> None:
        """Store the configuration."""
        checkpoint["config"] = self.config

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Create the folder and start the clock."""
        # If the run directory was deleted, saving must fail, so do not create it again.
        if trainer.is_global_zero and self.folder.parent.exists():
            self.folder.mkdir(exist_ok=True)
        self.last_save = time.monotonic()

    def on_train_batch_end(self, trainer: Trainer, *args: Any) -> None:
        """Save if the interval has passed, except after the last batch: the epoch's end saves.

        Distributed runs save only after an epoch, because the clocks of the processes differ.
        """
        due = time.monotonic() - self.last_save >= self.interval_seconds
        if due and not trainer.is_last_batch and trainer.world_size == 1:
            self.save_last(trainer)

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Save the epoch; Lightning has run the validation before."""
        if self.has_val:
            value = float(trainer.callback_metrics[self.monitor])
            if is_better(value, self.best, self.mode):
                self.best = value
                self.save(trainer, self.folder / "best.ckpt", weights_only=True)
        if self.must_save_epoch(trainer):
            self.save_last(trainer)

    def must_save_epoch(self, trainer: Trainer) -> bool:
        """Return whether last.ckpt is saved after this epoch; processes must not differ in it."""
        is_last = trainer.should_stop or trainer.current_epoch + 1 == trainer.max_epochs
        pause = self.save_seconds / MAX_SAVE_FRACTION
        return is_last or trainer.world_size > 1 or time.monotonic() - self.last_save >= pause

    def save_last(self, trainer: Trainer) -> None:
        """Save everything that is needed to resume, unless this step is saved already."""
        if self.saved_step == trainer.global_step:
            return
        start = time.monotonic()
        self.save(trainer, self.folder / "last.ckpt", weights_only=False)
        self.last_save = time.monotonic()
        self.save_seconds = self.last_save - start
        self.saved_step = trainer.global_step

    def save(self, trainer: Trainer, path: Path, weights_only: bool) -> None:
        """Save a checkpoint completely or not at all; the previous last.ckpt becomes previous.ckpt.

        Raises OSError, also if the folder was deleted: Lightning would create it again.
        """
        temporary = path.with_name(f".{path.name}")
        try:
            if trainer.is_global_zero:
                self.folder.stat()
            trainer.save_checkpoint(temporary, weights_only)
            if trainer.is_global_zero:
                fsync(temporary)
                if path.name == "last.ckpt" and path.exists():
                    path.replace(path.with_name("previous.ckpt"))
                temporary.replace(path)
        except OSError:
            temporary.unlink(missing_ok=True)
            raise


def fsync(path: Path) -> None:
    """Wait until a file is stored on the disk."""
    with path.open("rb+") as file:
        os.fsync(file.fileno())

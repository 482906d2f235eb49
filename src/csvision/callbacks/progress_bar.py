"""The progress bar of training on a terminal."""

from typing import Any

from lightning import LightningModule, Trainer
from lightning.pytorch.callbacks import TQDMProgressBar
from lightning.pytorch.callbacks.progress.tqdm_progress import Tqdm


class EpochProgressBar(TQDMProgressBar):
    """One bar per epoch, counted from 1, that disappears at the end of the epoch."""

    def on_train_epoch_start(self, trainer: Trainer, *args: Any) -> None:
        """Start the bar of an epoch."""
        super().on_train_epoch_start(trainer, *args)
        self.train_progress_bar.set_description(f"epoch {trainer.current_epoch + 1}")

    def init_train_tqdm(self) -> Tqdm:
        """Return the bar of training."""
        return make_transient(super().init_train_tqdm())

    def init_validation_tqdm(self) -> Tqdm:
        """Return the bar of validation."""
        return make_transient(super().init_validation_tqdm())

    def init_test_tqdm(self) -> Tqdm:
        """Return the bar of testing."""
        return make_transient(super().init_test_tqdm())

    def get_metrics(self, trainer: Trainer, pl_module: LightningModule) -> dict[str, Any]:
        """Return Lightning's metrics without the version of its logger."""
        metrics: dict[str, Any] = dict(super().get_metrics(trainer, pl_module))
        metrics.pop("v_num", None)
        return metrics


def make_transient(bar: Tqdm) -> Tqdm:
    """Let a bar disappear when it is closed."""
    bar.leave = False
    return bar

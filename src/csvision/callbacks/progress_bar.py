"""The progress bar of training on a terminal or in a notebook."""

from typing import Any

from lightning import Callback, LightningModule, Trainer
from lightning.pytorch.callbacks import TQDMProgressBar
from lightning.pytorch.callbacks.progress.tqdm_progress import Tqdm

from csvision.notebook import NotebookBar


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


class NotebookProgressBar(Callback):
    """A bar for all epochs in a notebook, which disappears at the end of the training."""

    def __init__(self) -> None:
        self.bar: NotebookBar | None = None

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Show the bar."""
        self.bar = NotebookBar()

    def on_train_batch_end(self, trainer: Trainer, *args: Any) -> None:
        """Update the bar."""
        if self.bar is None or trainer.max_epochs is None:
            return
        batches = int(trainer.num_training_batches)
        batch = trainer.fit_loop.epoch_loop.batch_progress.current.ready
        self.bar.update(
            f"epoch {trainer.current_epoch + 1}/{trainer.max_epochs}, batch {batch}/{batches}",
            trainer.current_epoch * batches + batch,
            trainer.max_epochs * batches,
        )

    def on_train_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Remove the bar."""
        if self.bar is not None:
            self.bar.close()
            self.bar = None

    def on_exception(
        self, trainer: Trainer, pl_module: LightningModule, exception: BaseException
    ) -> None:
        """Remove the bar after an error."""
        self.on_train_end(trainer, pl_module)

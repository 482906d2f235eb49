"""Reduce the learning rate when the monitored metric stops improving."""

from lightning import Callback, LightningModule, Trainer
from torch.optim.lr_scheduler import ReduceLROnPlateau


class PlateauCallback(Callback):
    """Updates the schedulers that need a metric after each epoch, before the checkpoint is saved.

    Lightning updates them after its own checkpoints, so a resumed run would miss one update.
    """

    def __init__(self, monitor: str) -> None:
        self.monitor = monitor

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Give the schedulers the value of this epoch; Lightning has run the validation before."""
        for config in trainer.lr_scheduler_configs:
            if isinstance(config.scheduler, ReduceLROnPlateau):
                config.scheduler.step(float(trainer.callback_metrics[self.monitor]))

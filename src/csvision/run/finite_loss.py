"""A loss that is no number ends the fit before it can spoil the weights."""

import torch
from lightning import Callback, LightningModule, Trainer
from torch import Tensor

from csvision.errors import DivergedError
from csvision.run.directory import RunDirectory


class FiniteLoss(Callback):
    """Raises DivergedError at the step whose loss is NaN or infinite."""

    def __init__(self, run: RunDirectory) -> None:
        self.run = run

    def on_before_backward(
        self, trainer: Trainer, pl_module: LightningModule, loss: Tensor
    ) -> None:
        """Look at the loss of a step."""
        if torch.isfinite(loss):
            return
        rate = trainer.optimizers[0].param_groups[0]["lr"]
        good = f"{self.run.last} is sound" if self.run.last.exists() else "nothing was saved before"
        raise DivergedError(
            f"the loss is {float(loss.detach())} at step {trainer.global_step + 1} in epoch "
            f"{trainer.current_epoch + 1}, where the learning rate is {rate:.3g}; write a smaller "
            f"optimizer.lr ({good})"
        )

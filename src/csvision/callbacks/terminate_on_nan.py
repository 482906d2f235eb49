"""Stop training as soon as the loss is NaN or infinite, before it can change the weights."""

from pathlib import Path

import torch
from lightning import Callback, LightningModule, Trainer
from torch import Tensor

from csvision.errors import DivergedError


class TerminateOnNaN(Callback):
    """Raises DivergedError at the step whose loss is NaN or infinite.

    The message says whether `last_checkpoint` exists.
    """

    def __init__(self, last_checkpoint: Path) -> None:
        self.last_checkpoint = last_checkpoint

    def on_before_backward(
        self, trainer: Trainer, pl_module: LightningModule, loss: Tensor
    ) -> None:
        """Check the loss of a step."""
        if torch.isfinite(loss):
            return
        lr = trainer.optimizers[0].param_groups[0]["lr"]
        saved = self.last_checkpoint.exists()
        checkpoint = f"{self.last_checkpoint} is intact" if saved else "no checkpoint was saved"
        raise DivergedError(
            f"the loss is {float(loss.detach())} in epoch {trainer.current_epoch + 1}, step "
            f"{trainer.global_step + 1}, with learning rate {lr:.3g}; reduce optimizer.lr "
            f"({checkpoint})"
        )

"""Stop training as soon as it diverges, before the checkpoints contain NaN."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from lightning import Callback, LightningModule, Trainer
from torch import Tensor

from csvision.errors import DivergedError


class TerminateOnNaN(Callback):
    """Raises DivergedError if a loss, or the weights to be saved, are NaN or infinite.

    The message says whether `last_checkpoint` exists.
    """

    def __init__(self, last_checkpoint: Path) -> None:
        self.last_checkpoint = last_checkpoint

    def on_before_backward(
        self, trainer: Trainer, pl_module: LightningModule, loss: Tensor
    ) -> None:
        """Check the loss of a step before it can change the weights."""
        self.check_losses(trainer, loss.detach().reshape(1), trainer.global_step)

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, *args: Any
    ) -> None:
        """Check the losses of a group of batches before a checkpoint can be saved."""
        if isinstance(outputs, Mapping) and "losses" in outputs:
            losses = outputs["losses"]
            self.check_losses(trainer, losses, trainer.global_step - len(losses))

    def check_losses(self, trainer: Trainer, losses: Tensor, steps_before: int) -> None:
        """Raise DivergedError for the first loss (of N steps) that is NaN or infinite."""
        finite = torch.isfinite(losses)
        if not finite.all():
            index = int(finite.logical_not().nonzero()[0])
            reason = f"the loss is {float(losses[index])}"
            raise self.diverged(trainer, reason, steps_before + index + 1)

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Check weights and validation loss; Lightning has run the validation before."""
        self.check_weights(trainer, pl_module)
        val_loss = trainer.callback_metrics.get("val/loss", torch.tensor(0.0))
        if not torch.isfinite(val_loss):
            raise self.diverged(trainer, f"val/loss is {float(val_loss)}", trainer.global_step)

    def on_save_checkpoint(
        self, trainer: Trainer, pl_module: LightningModule, checkpoint: dict[str, Any]
    ) -> None:
        """Check the weights of a checkpoint in the middle of an epoch."""
        self.check_weights(trainer, pl_module)

    def check_weights(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Raise DivergedError if a parameter is NaN or infinite; buffers may be, such as masks."""
        for name, value in pl_module.named_parameters():
            if not torch.isfinite(value).all():
                reason = f"{name} has values that are NaN or infinite"
                raise self.diverged(trainer, reason, trainer.global_step)

    def diverged(self, trainer: Trainer, reason: str, step: int) -> DivergedError:
        """Return an error that says where training diverged."""
        lr = trainer.optimizers[0].param_groups[0]["lr"]
        saved = self.last_checkpoint.exists()
        checkpoint = f"{self.last_checkpoint} is intact" if saved else "no checkpoint was saved"
        return DivergedError(
            f"{reason} in epoch {trainer.current_epoch + 1}, step {step}, with learning rate "
            f"{lr:.3g}; reduce optimizer.lr ({checkpoint})"
        )

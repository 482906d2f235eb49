"""Train on several batches in each step of Lightning.

Between two steps, Lightning calls hooks and updates its progress, which takes as long as a step of
a small network.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from typing import Any

import torch
from torch import Tensor, optim

from csvision.classifier import Classifier
from csvision.data.loader import Batch
from csvision.optim import is_plateau

GROUP_SECONDS = 0.05
"""How long a group of batches takes: long for Lightning's hooks, short for a signal."""


class GroupedClassifier(Classifier):
    """A classifier whose training step takes batches until some time has passed.

    The weights equal those of Classifier bit by bit: the optimizer makes a step after each batch,
    and Lightning's progress counts batches. Hooks of callbacks are called once per group, after
    which `outputs["losses"]` has the loss of each batch. The group ends early if `is_interrupted`.
    For one process and without a gradient scaler.
    """

    def __init__(self, *args: Any, is_interrupted: Callable[[], bool], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.automatic_optimization = False
        self.is_interrupted = is_interrupted

    def training_step(  # type: ignore[override]
        self, dataloader_iter: Iterator[tuple[Batch, int, int]]
    ) -> dict[str, Tensor]:
        """Train on a group of batches; return the loss of each."""
        end = time.perf_counter() + GROUP_SECONDS
        optimizer = self.optimizers(use_pl_optimizer=False)
        assert isinstance(optimizer, optim.Optimizer)
        # Looked up once, because each look-up takes as long as a small layer.
        step_schedulers = self.schedulers("step")
        progress = self.trainer.fit_loop.epoch_loop.manual_optimization.optim_step_progress
        losses, counts = [], []
        for (images, labels), _, _ in dataloader_iter:
            loss = self.training_loss((images.to(self.device), labels.to(self.device)))
            self.optimize(optimizer, loss)
            progress.increment_ready()
            progress.increment_completed()
            for scheduler in step_schedulers:
                scheduler.step()
            if self.average is not None:
                self.average.update(self.global_step)
            losses.append(loss.detach())
            counts.append(len(labels))
            if time.perf_counter() > end or self.is_interrupted():
                break
        # Lightning counts one batch per step.
        self.trainer.fit_loop.epoch_loop.batch_progress.increment_by(len(losses) - 1)
        self.end_epoch_of_schedulers()
        self.log_train_loss(losses, counts)
        return {"losses": torch.stack(losses)}

    def optimize(self, optimizer: optim.Optimizer, loss: Tensor) -> None:
        """Make one step of the optimizer."""
        device = self.device.type
        autocast = torch.is_autocast_enabled(device)
        # Lightning's context around the whole group is for the forward passes only.
        with torch.autocast(device, enabled=False) if autocast else nullcontext():
            # As optimizer.zero_grad() does, which takes 3 % of the time of a small network.
            for group in optimizer.param_groups:
                for parameter in group["params"]:
                    parameter.grad = None
            loss.backward()
            self.configure_gradient_clipping()
            optimizer.step()
        if autocast:
            # It holds the weights of before the step.
            torch.clear_autocast_cache()

    def configure_optimizers(self) -> Any:
        """Return the configured optimizer and schedulers; Lightning updates none of them."""
        optimizers, schedulers = super().configure_optimizers()
        return optimizers, [
            {name: value for name, value in each.items() if name != "monitor"}
            for each in schedulers
        ]

    def end_epoch_of_schedulers(self) -> None:
        """Update schedulers that are updated after each epoch, after its last batch."""
        progress = self.trainer.fit_loop.epoch_loop.batch_progress
        # The current group counts as ready, all groups before it as completed.
        if progress.current.ready == self.trainer.num_training_batches:
            for scheduler in self.schedulers("epoch"):
                scheduler.step()

    def schedulers(self, interval: str) -> list[Any]:
        """Return the schedulers that are updated after each step or epoch, whatever the metrics."""
        return [
            config.scheduler
            for config in self.trainer.lr_scheduler_configs
            if config.interval == interval and not is_plateau(config.scheduler)
        ]

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Accept checkpoints of earlier versions, in which Lightning made the optimizer's steps."""
        super().on_load_checkpoint(checkpoint)
        if "loops" in checkpoint:
            name = "epoch_loop.manual_optimization.optim_step_progress"
            steps = checkpoint["global_step"]
            total = checkpoint["loops"]["fit_loop"][name]["total"]
            total.update(ready=steps, completed=steps)

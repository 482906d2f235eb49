"""The learning-rate range test: a rate that grows exponentially from step to step (Smith 2017)."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from lightning import Callback, LightningModule, Trainer

from csvision.config.lr_find_schema import RangeTestConfig

HALF_WINDOW = 5
"""Steps on each side over which the slope is measured, so that no single batch decides."""

FIRST_STEPS = 2 * HALF_WINDOW
"""Steps whose smoothed loss is the mean of too few batches to show a minimum or a rise."""

RISE_FACTOR = 1.2
"""The loss rises when it first exceeds its minimum so far by this factor; rates after that do not
count, because the loss that falls afterwards only recovers."""

CLEAR_DESCENT = 0.05
"""The smallest fraction by which the loss of a clear curve decreases before it rises."""


class RangeTestCallback(Callback):
    """Sets the learning rate of each step and records its loss; stops when the loss diverges."""

    def __init__(self, settings: RangeTestConfig) -> None:
        self.settings = settings
        self.lrs: list[float] = []
        self.losses: list[float] = []
        self.smoothed: list[float] = []
        self.average = 0.0
        self.diverged = False

    def on_train_batch_start(self, trainer: Trainer, *args: Any) -> None:
        """Set the learning rate of the step."""
        lr = step_lr(self.settings, len(self.lrs))
        self.lrs.append(lr)
        for group in trainer.optimizers[0].param_groups:
            group["lr"] = lr

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, *args: Any
    ) -> None:
        """Record the loss, which is that before the step; stop if it is NaN or too large."""
        loss = float(outputs["loss"] if isinstance(outputs, Mapping) else outputs)
        self.losses.append(loss)
        beta = self.settings.smoothing
        self.average = beta * self.average + (1 - beta) * loss
        # Without this correction, the average of the first steps would be near 0.
        smoothed = self.average / (1 - beta ** len(self.losses))
        lowest = min([*self.smoothed, smoothed])
        self.smoothed.append(smoothed)
        if not smoothed <= self.settings.early_stop_threshold * lowest:
            self.diverged = True
            trainer.should_stop = True


def step_lr(settings: RangeTestConfig, step: int) -> float:
    """Return the learning rate of a step, from 0 to num_steps - 1."""
    growth = settings.max_lr / settings.min_lr
    return float(settings.min_lr * growth ** (step / (settings.num_steps - 1)))


def suggest_lr(lrs: Sequence[float], smoothed: Sequence[float]) -> float | None:
    """Return the learning rate at which the smoothed loss decreases most over log(lr).

    Only steps up to the minimum of the loss before it first rises count. None if the loss does not
    decrease there.
    """
    before = before_rise(smoothed)
    if len(before) <= FIRST_STEPS:
        return None
    end = FIRST_STEPS + int(np.argmin(before[FIRST_STEPS:])) + 1
    losses, log_lrs = np.array(before[:end]), np.log(lrs[:end])
    apart = 2 * HALF_WINDOW
    slopes = (losses[apart:] - losses[:-apart]) / (log_lrs[apart:] - log_lrs[:-apart])
    steepest = int(np.argmin(slopes))
    return float(lrs[HALF_WINDOW + steepest]) if slopes[steepest] < 0 else None


def before_rise(smoothed: Sequence[float]) -> list[float]:
    """Return the losses before the first one that exceeds the minimum so far by RISE_FACTOR.

    A loss that is not finite is infinite.
    """
    losses = [loss if math.isfinite(loss) else math.inf for loss in smoothed]
    lowest = math.inf
    for step, loss in enumerate(losses[FIRST_STEPS:], start=FIRST_STEPS):
        # Losses of the user's own can be negative.
        if loss == math.inf or loss > lowest + (RISE_FACTOR - 1) * abs(lowest):
            return losses[:step]
        lowest = min(lowest, loss)
    return losses


def is_clear_descent(smoothed: Sequence[float]) -> bool:
    """Return whether the loss decreases by CLEAR_DESCENT of its first values before it rises."""
    losses = before_rise(smoothed)
    start = float(np.mean(losses[:FIRST_STEPS]))
    return start - min(losses) >= CLEAR_DESCENT * abs(start)

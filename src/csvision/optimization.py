"""From configuration to torch's optimizers and learning rate schedules."""

from collections.abc import Iterable
from typing import Any

from torch import nn, optim

from csvision import schema


def build_optimizer(
    config: schema.Optimizer, parameters: Iterable[nn.Parameter]
) -> optim.Optimizer:
    """The configured optimizer over `parameters`."""
    common: dict[str, Any] = {"lr": config.lr, "weight_decay": config.weight_decay}
    match config.name:
        case schema.OptimizerName.sgd:
            assert isinstance(config, schema.SGD)
            return optim.SGD(
                parameters, momentum=config.momentum, nesterov=config.nesterov, **common
            )
        case schema.OptimizerName.adam:
            return optim.Adam(parameters, **common)
        case schema.OptimizerName.adamw:
            return optim.AdamW(parameters, **common)


def build_scheduler(
    config: schema.Scheduler, optimizer: optim.Optimizer, steps: int
) -> dict[str, Any] | None:
    """The configured schedule over a fit of `steps` batches, in Lightning's form; None for none."""
    match config:
        case schema.OneCycle():
            warmup = config.warmup
            if warmup * steps == 1:
                # torch divides by zero when the rise takes exactly one step.
                warmup *= 1 + 1e-9
            cycle = optim.lr_scheduler.OneCycleLR(
                optimizer,
                max_lr=optimizer.param_groups[0]["lr"],
                total_steps=steps,
                pct_start=warmup,
                div_factor=config.start_factor,
                final_div_factor=config.final_factor,
                # The momentum stays what optimizer.momentum says.
                cycle_momentum=False,
            )
            return {"scheduler": cycle, "interval": "step"}
        case schema.Cosine():
            cosine = optim.lr_scheduler.CosineAnnealingLR(optimizer, steps, config.final_lr)
            return {"scheduler": cosine, "interval": "step"}
        case schema.Step():
            step = optim.lr_scheduler.StepLR(optimizer, config.every, config.gamma)
            return {"scheduler": step, "interval": "epoch"}
        case _:
            return None

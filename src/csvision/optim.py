"""Build torch optimizers and learning rate schedulers from the configuration."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any, Literal

from torch import nn, optim

from csvision.config import schema


def build_optimizer(
    config: schema.OptimizerConfig, parameters: Iterable[nn.Parameter]
) -> optim.Optimizer:
    """Return the configured optimizer of `parameters`."""
    parameters = list(parameters)
    common: dict[str, Any] = {"lr": config.lr, "weight_decay": config.weight_decay}
    # One kernel for all parameters. It takes a quarter of the time of small networks on a CPU; for
    # SGD it is not faster.
    fused = all(each.is_floating_point() and each.device.type == "cpu" for each in parameters)
    match config.name:
        case schema.OptimizerName.sgd:
            assert isinstance(config, schema.SGDConfig)
            return optim.SGD(
                parameters, momentum=config.momentum, nesterov=config.nesterov, **common
            )
        case schema.OptimizerName.adam:
            return optim.Adam(parameters, fused=fused, **common)
        case schema.OptimizerName.adamw:
            return optim.AdamW(parameters, fused=fused, **common)


@dataclass(frozen=True)
class PlateauMonitor:
    """The validation metric that decides when scheduler=plateau reduces the rate."""

    name: str
    mode: Literal["min", "max"]


def build_schedulers(
    config: schema.SchedulerConfig,
    optimizer: optim.Optimizer,
    steps: int,
    epochs: int = 1,
    monitor: PlateauMonitor | None = None,
) -> list[dict[str, Any]]:
    """Return the configured schedulers of a fit, as Lightning expects them.

    The fit has `steps` batches in `epochs` epochs. In a warm-up of W steps, the rate is
    1 / (W + 1), 2 / (W + 1), ... of its value. Cosine follows afterwards; with step and plateau,
    these factors are multiplied by those of the schedule. Returns an empty list for a constant
    rate.
    """
    warmup = round(config.warmup_epochs * steps / epochs)
    match config:
        case schema.OneCycleConfig() if warmup:
            # The increase of the cycle is the warm-up.
            config = replace(config, pct_start=min(warmup / steps, 1 - 1e-9))
            warmup = 0
        case schema.CosineConfig() if warmup:
            schedulers = [
                warmup_scheduler(optimizer, warmup),
                optim.lr_scheduler.CosineAnnealingLR(optimizer, steps - warmup, config.eta_min),
            ]
            both = optim.lr_scheduler.SequentialLR(optimizer, schedulers, [warmup])
            return [{"scheduler": both, "interval": "step"}]
    built = []
    if warmup:
        built.append({"scheduler": warmup_scheduler(optimizer, warmup), "interval": "step"})
    if (main := build_scheduler(config, optimizer, steps, monitor)) is not None:
        built.append(main)
    return built


def warmup_scheduler(optimizer: optim.Optimizer, steps: int) -> optim.lr_scheduler.LinearLR:
    """Return a scheduler that raises the rate to its value in a number of steps."""
    return optim.lr_scheduler.LinearLR(optimizer, 1 / (steps + 1), total_iters=steps)


def build_scheduler(
    config: schema.SchedulerConfig,
    optimizer: optim.Optimizer,
    steps: int,
    monitor: PlateauMonitor | None = None,
) -> dict[str, Any] | None:
    """Return the configured scheduler of a fit of `steps` batches, as Lightning expects it.

    It has no warm-up. Returns None for scheduler=none.
    """
    match config:
        case schema.OneCycleConfig():
            pct_start = config.pct_start
            if pct_start * steps == 1:
                # torch divides by zero if the rate increases for exactly one step.
                pct_start *= 1 + 1e-9
            one_cycle = optim.lr_scheduler.OneCycleLR(
                optimizer,
                max_lr=optimizer.param_groups[0]["lr"],
                total_steps=steps,
                pct_start=pct_start,
                div_factor=config.div_factor,
                final_div_factor=config.final_div_factor,
                # Keep optimizer.momentum constant.
                cycle_momentum=False,
            )
            return {"scheduler": one_cycle, "interval": "step"}
        case schema.CosineConfig():
            cosine = optim.lr_scheduler.CosineAnnealingLR(optimizer, steps, config.eta_min)
            return {"scheduler": cosine, "interval": "step"}
        case schema.StepConfig():
            step = optim.lr_scheduler.StepLR(optimizer, config.step_size, config.gamma)
            return {"scheduler": step, "interval": "epoch"}
        case schema.PlateauConfig():
            assert monitor is not None
            plateau = optim.lr_scheduler.ReduceLROnPlateau(
                optimizer,
                monitor.mode,
                config.factor,
                config.patience,
                threshold=config.min_delta,
                threshold_mode="abs",
                min_lr=config.min_lr,
            )
            return {"scheduler": plateau, "interval": "epoch", "monitor": monitor.name}
        case _:
            return None


def is_plateau(scheduler: Any) -> bool:
    """Return whether a scheduler needs the value of a metric."""
    return isinstance(scheduler, optim.lr_scheduler.ReduceLROnPlateau)

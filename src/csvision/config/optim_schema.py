"""The configuration of optimizers and learning rate schedulers: types, help texts and ranges.

Default values are defined in conf/.
"""

from dataclasses import KW_ONLY, dataclass
from enum import StrEnum

from csvision.config.limits import MAX_EPOCHS, MAX_LR
from csvision.config.option import option


class OptimizerName(StrEnum):
    """Choices of `optimizer=`."""

    sgd = "sgd"
    adam = "adam"
    adamw = "adamw"


@dataclass
class OptimizerConfig:
    """Keys of every optimizer."""

    name: OptimizerName = option("optimizer")
    lr: float = option("learning rate; with a scheduler, its maximum", gt=0, le=MAX_LR)
    weight_decay: float = option("weight decay", ge=0, le=1e6)


@dataclass
class SGDConfig(OptimizerConfig):
    """Stochastic gradient descent."""

    momentum: float = option("momentum", ge=0, lt=1)
    nesterov: bool = option("Nesterov momentum; needs optimizer.momentum > 0")


class SchedulerName(StrEnum):
    """Choices of `scheduler=`."""

    none = "none"
    cosine = "cosine"
    onecycle = "onecycle"
    step = "step"
    plateau = "plateau"


@dataclass
class SchedulerConfig:
    """Keys of every scheduler; `none` has no others."""

    name: SchedulerName = option("learning rate scheduler")
    # Code that was written before the next key existed passes the others by position.
    _: KW_ONLY
    warmup_epochs: float = option(
        "epochs, such as 0.5, in which the rate rises linearly to its value; with onecycle, in "
        "which it increases; 0: no warm-up",
        0.0,
        ge=0,
        le=MAX_EPOCHS,
    )


@dataclass
class CosineConfig(SchedulerConfig):
    """CosineAnnealingLR: from optimizer.lr to eta_min, updated after every batch."""

    eta_min: float = option("learning rate at the end", ge=0, le=MAX_LR)


@dataclass
class OneCycleConfig(SchedulerConfig):
    """OneCycleLR: up to optimizer.lr, then down, after every batch (Smith and Topin 2018)."""

    pct_start: float = option("fraction of the steps in which the rate increases", gt=0, lt=1)
    div_factor: float = option("the initial rate is optimizer.lr / div_factor", ge=1, le=1e12)
    final_div_factor: float = option(
        "the final rate is the initial rate / this value", ge=1, le=1e12
    )


@dataclass
class StepConfig(SchedulerConfig):
    """StepLR: multiply the rate by gamma every step_size epochs."""

    step_size: int = option("epochs between two changes of the rate", ge=1, le=MAX_EPOCHS)
    gamma: float = option("factor of each change", gt=0, le=1000)


@dataclass
class PlateauConfig(SchedulerConfig):
    """ReduceLROnPlateau: multiply the rate by factor when `monitor` stops improving."""

    factor: float = option("factor of each change", gt=0, lt=1)
    patience: int = option("epochs without improvement before a change", ge=0, le=MAX_EPOCHS)
    min_delta: float = option("smallest change of `monitor` that is an improvement", ge=0, le=1e9)
    min_lr: float = option("smallest learning rate", ge=0, le=MAX_LR)

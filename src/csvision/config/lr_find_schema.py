"""The configuration of the learning-rate range test: types, help texts and ranges of its keys."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from csvision.config.limits import MAX_LR
from csvision.config.option import option
from csvision.config.schema import TrainConfig


@dataclass
class RangeTestConfig:
    """The learning rates to try, and when to stop."""

    min_lr: float = option("learning rate of the first step", gt=0, le=MAX_LR)
    max_lr: float = option("learning rate of the last step", gt=0, le=MAX_LR)
    num_steps: int = option(
        "steps, of one batch each; over several epochs if needed", ge=10, le=10**6
    )
    smoothing: float = option("weight of the steps before in the smoothed loss", ge=0, lt=1)
    early_stop_threshold: float = option(
        "stop when the smoothed loss exceeds its minimum by this factor", gt=1, le=1e6
    )


@dataclass
class LRFindConfig(TrainConfig):
    """A learning-rate range test with the keys of a training run."""

    lr_find: RangeTestConfig = field(default_factory=RangeTestConfig)


def range_test_errors(settings: RangeTestConfig) -> Iterator[str]:
    """Yield an error if the learning rate of a range test would not grow."""
    if settings.min_lr >= settings.max_lr:
        yield f"lr_find.min_lr={settings.min_lr} must be < lr_find.max_lr={settings.max_lr}"

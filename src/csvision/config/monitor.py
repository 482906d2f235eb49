"""The validation metric that chooses the best epoch."""

from typing import Literal

from csvision.config import schema
from csvision.config.training_schema import MetricMode

SCORES = ("acc", "f1", "balanced_acc")
"""The scores of every split, in the order in which they are shown; larger ones are better."""


def custom_metric_name(config: schema.TrainConfig) -> str | None:
    """Return the name of the metric that metric.path defines, which is that of its class."""
    path = config.metric.path
    return None if path is None else path.rpartition(":")[2]


def monitor_choices(config: schema.TrainConfig) -> list[str]:
    """Return the values that `monitor` may have."""
    custom = custom_metric_name(config)
    names = ["loss", *SCORES, *([custom] if custom else [])]
    return [f"val/{name}" for name in names]


def monitor_mode(config: schema.TrainConfig) -> Literal["min", "max"]:
    """Return whether smaller or larger values of `monitor` are better."""
    if config.monitor == "val/loss":
        return "min"
    if config.monitor == f"val/{custom_metric_name(config)}":
        return "min" if config.metric.mode is MetricMode.min else "max"
    return "max"


def is_better(value: float, than: float, mode: Literal["min", "max"], min_delta: float = 0) -> bool:
    """Return whether a value of `monitor` improves another one by more than `min_delta`."""
    return than - value > min_delta if mode == "min" else value - than > min_delta


def worst_value(mode: Literal["min", "max"]) -> float:
    """Return the value that every other one improves."""
    return float("inf") if mode == "min" else float("-inf")

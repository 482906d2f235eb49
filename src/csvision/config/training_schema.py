"""The configuration of loss, metric, early stopping and weight averaging of a training run.

Default values are defined in conf/train.yaml.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any, ClassVar

from csvision.config.limits import MAX_EPOCHS
from csvision.config.option import option


class TTA(StrEnum):
    """Choices of `tta=`: the images whose probabilities are averaged in a test."""

    none = "none"
    flip = "flip"
    flip_shift = "flip_shift"


class MetricMode(StrEnum):
    """Choices of `metric.mode=`: whether larger or smaller values are better."""

    max = "max"
    min = "min"


@dataclass
class LossConfig:
    """The training loss: cross-entropy, or a class of the user's own."""

    KEY: ClassVar[str] = "loss.path"

    class_weights: Any = option(
        "weights of the classes: balanced (inverse to their training rows), a list in ascending "
        "order of the labels, or null",
        max_length=100_000,
    )
    label_smoothing: float = option(
        "fraction of the target spread evenly over all classes", ge=0, lt=1
    )
    path: str | None = option(
        "your own loss, FILE.py:CLASS, called with num_classes= and loss.kwargs; null: "
        "cross-entropy"
    )
    kwargs: dict[str, Any] = option("keyword arguments: loss.kwargs.NAME=VALUE")


@dataclass
class MetricConfig:
    """A further metric, defined in the user's own file."""

    KEY: ClassVar[str] = "metric.path"

    path: str | None = option(
        "your own metric, FILE.py:CLASS, called with num_classes= and metric.kwargs; null: none"
    )
    kwargs: dict[str, Any] = option("keyword arguments: metric.kwargs.NAME=VALUE")
    mode: MetricMode = option("max or min: whether larger or smaller values are better")


@dataclass
class TransformConfig:
    """A further transform of all images, defined in the user's own file."""

    KEY: ClassVar[str] = "transform.path"

    path: str | None = option(
        "your own transform, FILE.py:CLASS, called with image_shape= and transform.kwargs; "
        "null: none"
    )
    kwargs: dict[str, Any] = option("keyword arguments: transform.kwargs.NAME=VALUE")


@dataclass
class EarlyStoppingConfig:
    """When training stops before the last epoch; the best weights are then tested."""

    patience: int | None = option(
        "stop after this many epochs without an improvement of monitor; null: never",
        ge=1,
        le=MAX_EPOCHS,
    )
    min_delta: float = option("smallest change of monitor that is an improvement", ge=0, le=1e9)


@dataclass
class EMAConfig:
    """The exponential moving average of the weights, which is evaluated and saved."""

    decay: float | None = option(
        "weight of the old average in each step, such as 0.999; null: no average", gt=0, lt=1
    )

"""Rules between the keys of a training run: loss, metric, schedule and early stopping."""

from collections.abc import Iterator

from csvision.config import schema
from csvision.config.limits import MAX_STRING
from csvision.config.monitor import SCORES, custom_metric_name, monitor_choices
from csvision.config.value_types import shorten_value

BALANCED = "balanced"


def training_errors(config: schema.TrainConfig, num_classes: int | None) -> Iterator[str]:
    """Yield an error for each rule that a configuration violates; `num_classes` may be unknown."""
    yield from loss_errors(config.loss, num_classes)
    yield from custom_part_errors(config)
    yield from monitor_errors(config)
    if config.accelerator.compile and config.accelerator.devices > 1:
        yield (
            f"accelerator.compile=true needs accelerator.devices=1, not "
            f"{config.accelerator.devices}: torch.compile is not tested with several processes"
        )


def loss_errors(loss: schema.LossConfig, num_classes: int | None) -> Iterator[str]:
    """Yield an error for class weights that are none, or do not fit the classes."""
    weights = loss.class_weights
    if loss.path is not None and (weights is not None or loss.label_smoothing):
        yield (
            f"loss.path={loss.path} replaces cross-entropy, to which loss.class_weights and "
            "loss.label_smoothing belong; remove them, or pass values by loss.kwargs"
        )
    elif isinstance(weights, list) and all(map(is_positive, weights)):
        if num_classes is not None and len(weights) != num_classes:
            yield f"loss.class_weights has {len(weights)} values for {num_classes} classes"
    elif weights is not None and weights != BALANCED:
        yield (
            f"loss.class_weights={shorten_value(weights)[:100]} must be balanced, null, or a list "
            "of one positive number per class"
        )


def is_positive(value: object) -> bool:
    """Return whether a value is a positive, finite number."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    # Comparisons with NaN are false; an integer may be too large for isfinite.
    return is_number and 0 < value < 1e9  # type: ignore[operator]


def custom_part_errors(config: schema.TrainConfig) -> Iterator[str]:
    """Yield an error for arguments without the code that takes them, and for reserved names."""
    for part in (config.loss, config.metric, config.transform):
        group = part.KEY.partition(".")[0]
        if part.path is None and part.kwargs:
            yield f"{group}.kwargs needs {part.KEY}=FILE.py:CLASS"
    if (name := custom_metric_name(config)) in ("loss", *SCORES):
        yield f"metric.path={config.metric.path}: val/{name} exists already; rename the class"


def monitor_errors(config: schema.TrainConfig) -> Iterator[str]:
    """Yield an error if `monitor` is not a metric of the validation split."""
    choices = monitor_choices(config)
    if config.monitor not in choices:
        yield f"monitor={config.monitor[:MAX_STRING]} must be one of {', '.join(choices)}"


def warmup_errors(config: schema.TrainConfig) -> Iterator[str]:
    """Yield an error if the warm-up does not end before the training."""
    warmup = config.scheduler.warmup_epochs
    if warmup and warmup >= config.epochs:
        yield f"scheduler.warmup_epochs={warmup:g} must be < epochs={config.epochs}"

"""Build the loss, metric and transform that are defined in the user's own files, and check them.

Shapes: N images, C channels, H height, W width, K classes.
"""

from typing import Any, TypeVar

import torch
from torch import Tensor, nn
from torchmetrics import Metric

from csvision.config import schema
from csvision.errors import ConfigError
from csvision.layer_shapes import Shape
from csvision.models.custom import import_class
from csvision.models.user_code import UserCode, raised_in_user_code, run_user_code
from csvision.rng import seeded_generators

Base = TypeVar("Base", bound=nn.Module)

SEED = 0
"""The seed of the global generators while a part is built: it has no state, so no other is used."""


def build_custom_loss(loss: schema.LossConfig, num_classes: int) -> nn.Module:
    """Return the user's own loss; raises ConfigError unless it maps logits and labels to a scalar.

    Takes logits (N, K) and class indices (N,).
    """
    built = construct(loss, nn.Module, num_classes=num_classes)
    logits = torch.zeros(2, num_classes, requires_grad=True)
    with seeded_generators(SEED), run_user_code(loss), torch.enable_grad():
        value = call(loss, built, logits, torch.zeros(2, dtype=torch.int64))
    check_scalar(loss, value, "forward(logits, labels)")
    if not value.requires_grad:
        raise ConfigError(
            f"{loss.KEY}={loss.path}: the loss does not depend on the logits; forward must not use "
            "detach(), argmax or torch.no_grad() on all of them"
        )
    return built


def build_custom_metric(metric: schema.MetricConfig, num_classes: int) -> tuple[str, Metric]:
    """Return name and metric of the user; raises ConfigError unless it computes a scalar.

    Its `update` takes logits (N, K) and class indices (N,).
    """
    built = construct(metric, Metric, num_classes=num_classes)  # type: ignore[type-abstract]
    with seeded_generators(SEED), run_user_code(metric), torch.no_grad():
        logits, labels = torch.zeros(2, num_classes), torch.zeros(2, dtype=torch.int64)
        call(metric, built.update, logits, labels)
        check_scalar(metric, call(metric, built.compute), "compute()")
        built.reset()
    assert metric.path is not None
    return metric.path.rpartition(":")[2], built


def build_custom_transform(transform: schema.TransformConfig, image_shape: Shape) -> nn.Module:
    """Return the user's own transform of images (N, C, H, W), uint8, as they are after padding.

    Raises ConfigError unless it returns such images, of any height and width.
    """
    built = construct(transform, nn.Module, image_shape=image_shape)
    custom_transform_shape(transform, built, image_shape)
    return built


def custom_transform_shape(
    transform: schema.TransformConfig, built: nn.Module, image_shape: Shape
) -> Shape:
    """Return the shape (C, H, W) of the images that a transform returns in evaluation mode."""
    images = torch.zeros(2, *image_shape, dtype=torch.uint8)
    with seeded_generators(SEED), run_user_code(transform), torch.no_grad():
        built.eval()
        found = call(transform, built, images)
        built.train()
    channels = image_shape[0]
    if not isinstance(found, Tensor) or found.dtype is not torch.uint8:
        kind = found.dtype if isinstance(found, Tensor) else type(found).__name__
        raise ConfigError(
            f"{transform.KEY}={transform.path}: forward of uint8 images returns {kind}; it must "
            "return uint8 images"
        )
    if found.ndim != 4 or tuple(found.shape[:2]) != (2, channels) or not found.numel():
        raise ConfigError(
            f"{transform.KEY}={transform.path}: forward of images {tuple(images.shape)} returns "
            f"{tuple(found.shape)}; it must return (2, {channels}, height, width)"
        )
    _, height, width = found.shape[1:]
    return channels, height, width


def construct(code: UserCode, base: type[Base], **arguments: Any) -> Base:
    """Import and call the class of a part; raises ConfigError if that fails or it has a state."""
    assert code.path is not None
    with seeded_generators(SEED), run_user_code(code):
        part_class = import_class(code.path, base, code.KEY)
        try:
            built = part_class(**arguments, **code.kwargs)
        except TypeError as error:
            if raised_in_user_code(error, code):
                raise
            group, names = code.KEY.partition(".")[0], "=, ".join(arguments)
            raise ConfigError(
                f"{code.KEY}={code.path}: {error}; it is called with {names}= and "
                f"{group}.kwargs={code.kwargs}"
            ) from error
    state = [*built.state_dict(), *(name for name, _ in built.named_parameters())]
    if state:
        raise ConfigError(
            f"{code.KEY}={code.path}: {state[0]} is a parameter or a saved buffer, but only the "
            "network has a state; use register_buffer(..., persistent=False)"
        )
    return built


def call(code: UserCode, function: Any, *arguments: Any) -> Any:
    """Call a method of the user; raises ConfigError if it takes other arguments."""
    try:
        return function(*arguments)
    except (TypeError, NotImplementedError) as error:
        if raised_in_user_code(error, code):
            raise
        raise ConfigError(f"{code.KEY}={code.path}: {error}") from error


def check_scalar(code: UserCode, value: Any, function: str) -> None:
    """Raise ConfigError unless a value is one floating-point number."""
    if not isinstance(value, Tensor):
        found = type(value).__name__
    elif value.ndim or not value.is_floating_point():
        found = f"a {value.dtype} tensor of the shape {tuple(value.shape)}"
    else:
        return
    raise ConfigError(
        f"{code.KEY}={code.path}: {function} returns {found}; it must return a tensor with one "
        "floating-point number"
    )

"""Import and construct a network that is defined in the user's own file.

Shapes: N images, C channels, H height, W width, K classes.
"""

import importlib.util
import sys
from inspect import signature
from pathlib import Path
from typing import Any, TypeVar

import torch
from torch import Tensor, nn
from torch.nn.parameter import is_lazy

from csvision.config.model_schema import CustomModelConfig
from csvision.errors import ConfigError
from csvision.layer_shapes import Shape
from csvision.models.user_code import raised_in_user_code, run_user_code

Base = TypeVar("Base")


def build_custom_model(model: CustomModelConfig, image_shape: Shape, num_classes: int) -> nn.Module:
    """Import and construct a custom network; lazy layers get their shapes.

    Raises ConfigError if it cannot be imported or called, or does not map images to logits.
    """
    with run_user_code(model):
        network = construct(import_model_class(model.path), model, image_shape, num_classes)
        if name := first_tensor(network, lambda tensor: tensor.is_meta):
            raise ConfigError(
                f"model.path={model.path}: {name} is on the meta device and has no values; "
                "construct it on the CPU"
            )
        check_eval_mode(model, network, image_shape, num_classes, batch_size=2)
        if name := first_tensor(network, is_lazy):
            raise ConfigError(
                f"model.path={model.path}: {name} has no shape, because forward in evaluation mode "
                "does not use this lazy layer; give it the number of its inputs"
            )
    return network


def split_model_path(path: str, key: str = "model.path") -> tuple[Path, str]:
    """Return the file and the class of FILE.py:CLASS; raises ConfigError without such a file."""
    file, _, name = path.rpartition(":")
    if not file.endswith(".py") or not name.isidentifier():
        raise ConfigError(f"{key}={path}: not FILE.py:CLASS; example: my_net.py:MyNet")
    if not Path(file).is_file():
        raise ConfigError(f"{key}={path}: {file} does not exist")
    return Path(file), name


def import_model_class(path: str) -> type[nn.Module]:
    """Import the network named by FILE.py:CLASS; raises ConfigError if there is none."""
    return import_class(path, nn.Module, "model.path")


def import_class(path: str, base: type[Base], key: str) -> type[Base]:
    """Import the subclass of `base` named by FILE.py:CLASS; raises ConfigError if there is none."""
    file, name = split_model_path(path, key)
    module_name = f"csvision_custom_{file.stem}"
    spec = importlib.util.spec_from_file_location(module_name, file)
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    # Dataclasses and pickle look up their module by name.
    sys.modules[module_name] = module
    try:
        # Python's cache of compiled files would miss a change of equal size in the same second.
        code = compile(file.read_bytes(), str(file.resolve()), "exec", dont_inherit=True)
    except (SyntaxError, OSError) as error:
        raise ConfigError(f"{key}={path}: {describe_unreadable(file, error)}") from error
    exec(code, module.__dict__)
    found = getattr(module, name, None)
    if not (isinstance(found, type) and issubclass(found, base)):
        kind = f"{base.__module__.partition('.')[0]}.{base.__name__}"
        kind = "nn.Module" if base is nn.Module else kind
        raise ConfigError(f"{key}={path}: {file} defines no {kind} named {name}")
    return found


def describe_unreadable(file: Path, error: SyntaxError | OSError) -> str:
    """Say where a file is not Python, or why it cannot be read."""
    if isinstance(error, OSError):
        return f"{file} cannot be read: {error.strerror}"
    place = f"{file}, line {error.lineno}" if error.lineno else str(file)
    return f"{place}: {error.msg}"


def construct(
    network_class: type[nn.Module], model: CustomModelConfig, image_shape: Shape, num_classes: int
) -> nn.Module:
    """Call the class of a custom network; raises ConfigError if it takes other arguments."""
    # Networks written for version 0.1 have a parameter `classes`.
    name = "classes" if "classes" in signature(network_class).parameters else "num_classes"
    arguments: dict[str, Any] = {"image_shape": image_shape, name: num_classes}
    try:
        return network_class(**arguments, **model.kwargs)
    except TypeError as error:
        if raised_in_user_code(error, model):
            raise
        raise ConfigError(
            f"model.path={model.path}: {error}; it is called with image_shape=, num_classes= "
            f"and model.kwargs={model.kwargs}"
        ) from error


def first_tensor(network: nn.Module, condition: Any) -> str:
    """Return the name of the first parameter or buffer with a property; empty if there is none."""
    tensors = [*network.named_parameters(), *network.named_buffers()]
    return next((name for name, tensor in tensors if condition(tensor)), "")


def check_eval_mode(
    model: CustomModelConfig,
    network: nn.Module,
    image_shape: Shape,
    num_classes: int,
    batch_size: int,
) -> None:
    """Raise ConfigError if a network in evaluation mode does not map images to logits."""
    images = torch.zeros(batch_size, *image_shape)
    training = network.training
    network.eval()
    try:
        with torch.no_grad():
            logits = network(images)
    except (TypeError, NotImplementedError) as error:
        # The network has no forward(images).
        if raised_in_user_code(error, model):
            raise
        raise ConfigError(f"model.path={model.path}: forward(images): {error}") from error
    network.train(training)
    check_logits(model, images, logits, num_classes)


def check_logits(model: CustomModelConfig, images: Tensor, logits: Any, num_classes: int) -> None:
    """Raise ConfigError if the output for images (N, C, H, W) is not real logits (N, K)."""
    expected = (len(images), num_classes)
    if not isinstance(logits, Tensor):
        found = type(logits).__name__
    elif tuple(logits.shape) != expected:
        found = str(tuple(logits.shape))
    elif not logits.is_floating_point():
        found = f"{logits.dtype}"
    else:
        return
    raise ConfigError(
        f"model.path={model.path}: forward of images {tuple(images.shape)} returns {found}; "
        f"it must return logits {expected}, floating-point numbers"
    )

"""Build the configured network."""

import importlib.util
import sys
from inspect import signature
from pathlib import Path

import torch
from torch import nn

from csvision.config import model_schema
from csvision.errors import ConfigError
from csvision.layer_shapes import Shape
from csvision.models.cnn import CNN
from csvision.models.mlp import MLP


def build_model(
    model: model_schema.ModelConfig, image_shape: Shape, num_classes: int, seed: int
) -> nn.Module:
    """Return the configured network; its initial weights depend on `seed` alone.

    Raises ConfigError if a layer does not fit its input or a custom network cannot be built.
    """
    with torch.random.fork_rng(devices=range(torch.cuda.device_count())):
        torch.manual_seed(seed)
        match model:
            case model_schema.MLPConfig():
                return MLP(
                    image_shape, num_classes, model.hidden, model.activation.value, model.dropout
                )
            case model_schema.CNNConfig():
                return CNN(
                    image_shape,
                    num_classes,
                    model.stages,
                    model.global_pool.value,
                    model.hidden,
                    model.activation.value,
                    model.dropout,
                )
            case model_schema.CustomModelConfig():
                return build_custom_model(model, image_shape, num_classes)
            case _:
                raise AssertionError(f"no network for {model}")


def build_custom_model(
    model: model_schema.CustomModelConfig, image_shape: Shape, num_classes: int
) -> nn.Module:
    """Import and construct a custom network."""
    network_class = import_model_class(model.path)
    # Networks written for version 0.1 have a parameter `classes`.
    name = "classes" if "classes" in signature(network_class).parameters else "num_classes"
    try:
        network = network_class(image_shape=image_shape, **{name: num_classes}, **model.kwargs)
    except TypeError as error:
        raise ConfigError(
            f"model.path={model.path}: {error}; it is called with image_shape=, num_classes= "
            f"and model.kwargs={model.kwargs}"
        ) from error
    check_output_shape(model.path, network, image_shape, num_classes)
    return network


def split_model_path(path: str) -> tuple[Path, str]:
    """Return the file and the class of FILE.py:CLASS; raises ConfigError without such a file."""
    file, _, name = path.rpartition(":")
    if not file.endswith(".py") or not name.isidentifier():
        raise ConfigError(f"model.path={path}: not FILE.py:CLASS; example: my_net.py:MyNet")
    if not Path(file).is_file():
        raise ConfigError(f"model.path={path}: {file} does not exist")
    return Path(file), name


def import_model_class(path: str) -> type[nn.Module]:
    """Import the class named by FILE.py:CLASS; raises ConfigError if there is none."""
    file, name = split_model_path(path)
    module_name = f"csvision_custom_{file.stem}"
    spec = importlib.util.spec_from_file_location(module_name, file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    # Dataclasses and pickle look up their module by name.
    sys.modules[module_name] = module
    spec.loader.exec_module(module)
    network_class = getattr(module, name, None)
    if not (isinstance(network_class, type) and issubclass(network_class, nn.Module)):
        raise ConfigError(f"model.path={path}: {file} defines no nn.Module named {name}")
    return network_class


def check_output_shape(path: str, network: nn.Module, image_shape: Shape, num_classes: int) -> None:
    """Raise ConfigError if a custom network does not map two images to logits (2, num_classes)."""
    training = network.training
    network.eval()
    with torch.no_grad():
        logits = network(torch.zeros(2, *image_shape))
    network.train(training)
    if not isinstance(logits, torch.Tensor) or tuple(logits.shape) != (2, num_classes):
        shape = tuple(logits.shape) if isinstance(logits, torch.Tensor) else type(logits).__name__
        raise ConfigError(
            f"model.path={path}: forward of images (2, {', '.join(map(str, image_shape))}) "
            f"returns {shape}; it must return logits (2, {num_classes})"
        )

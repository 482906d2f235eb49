"""From configuration to network."""

import importlib.util
import sys
from pathlib import Path

import torch
from torch import nn

from csvision import schema
from csvision.errors import ConfigError
from csvision.geometry import Shape
from csvision.models.cnn import CNN
from csvision.models.mlp import MLP


def build_network(model: schema.Model, image_shape: Shape, classes: int, seed: int) -> nn.Module:
    """The configured network with initial weights drawn from `seed` alone.

    Raises ConfigError when a stage leaves nothing of its input or the user's own network cannot
    be imported or does not give logits (N, classes).
    """
    with torch.random.fork_rng(devices=range(torch.cuda.device_count())):
        torch.manual_seed(seed)
        match model:
            case schema.MLP():
                return MLP(
                    image_shape, classes, model.hidden, model.activation.value, model.dropout
                )
            case schema.CNN():
                return CNN(
                    image_shape,
                    classes,
                    model.stages,
                    model.head.value,
                    model.hidden,
                    model.activation.value,
                    model.dropout,
                )
            case schema.Custom():
                return custom_network(model, image_shape, classes)
            case _:
                raise AssertionError(f"no network for {model}")


def custom_network(model: schema.Custom, image_shape: Shape, classes: int) -> nn.Module:
    """The user's own network, called with image_shape=, classes= and model.arguments."""
    network_class = import_network(model.path)
    try:
        network = network_class(image_shape=image_shape, classes=classes, **model.arguments)
    except TypeError as error:
        raise ConfigError(
            f"model.path={model.path}: {error}; it is called with image_shape=, classes= "
            f"and model.arguments={model.arguments}"
        ) from error
    refuse_wrong_logits(model.path, network, image_shape, classes)
    return network


def import_network(path: str) -> type[nn.Module]:
    """The class that FILE.py:CLASS names; raises ConfigError when it is none."""
    file, _, name = path.rpartition(":")
    if not file.endswith(".py") or not name.isidentifier():
        raise ConfigError(f"model.path={path}: write FILE.py:CLASS, as in my_net.py:MyNet")
    if not Path(file).is_file():
        raise ConfigError(f"model.path={path}: there is no file {file}")
    module_name = f"csvision_custom_{Path(file).stem}"
    spec = importlib.util.spec_from_file_location(module_name, file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    # Dataclasses and pickles look their module up by name.
    sys.modules[module_name] = module
    spec.loader.exec_module(module)
    network_class = getattr(module, name, None)
    if not (isinstance(network_class, type) and issubclass(network_class, nn.Module)):
        raise ConfigError(f"model.path={path}: {file} has no nn.Module named {name}")
    return network_class


def refuse_wrong_logits(path: str, network: nn.Module, image_shape: Shape, classes: int) -> None:
    """Raise ConfigError when two images do not give logits (2, classes)."""
    training = network.training
    network.eval()
    with torch.no_grad():
        logits = network(torch.zeros(2, *image_shape))
    network.train(training)
    if not isinstance(logits, torch.Tensor) or tuple(logits.shape) != (2, classes):
        shape = tuple(logits.shape) if isinstance(logits, torch.Tensor) else type(logits).__name__
        raise ConfigError(
            f"model.path={path}: forward of images (2, {', '.join(map(str, image_shape))}) "
            f"gives {shape} where logits (2, {classes}) are needed"
        )

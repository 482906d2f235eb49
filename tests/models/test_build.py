"""From configuration to network: the seed alone decides the weights; a user's own network."""

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from csvision import schema
from csvision.errors import ConfigError
from csvision.models.build import build_network
from csvision.models.cnn import CNN
from csvision.models.mlp import MLP
from csvision.schema import Activation, Head, ModelName, Stage

IMAGE_SHAPE = (1, 4, 4)
CLASSES = 3
OWN_NETWORK = """
from torch import nn

class MyNet(nn.Sequential):
    def __init__(self, image_shape, classes, width=8):
        channels, height, width_of_image = image_shape
        pixels = channels * height * width_of_image
        super().__init__(nn.Flatten(), nn.Linear(pixels, width), nn.Linear(width, classes))

class TooManyLogits(MyNet):
    def __init__(self, image_shape, classes):
        super().__init__(image_shape, classes + 1)

class Pair(MyNet):
    def forward(self, images):
        return super().forward(images), images

class OnlyInEvalMode(MyNet):
    def forward(self, images):
        assert not self.training
        return super().forward(images)

class NoModule:
    pass

a_number = 3
"""
MLP_CONFIG = schema.MLP(ModelName.mlp, [5], Activation.tanh, 0.25)
CNN_CONFIG = schema.CNN(
    ModelName.cnn, [Stage(filters=2)], Head.global_average, [4], Activation.silu, 0.5
)


@pytest.fixture
def own_file(tmp_path: Path) -> Path:
    """A file with networks of the user's own."""
    path = tmp_path / "my net.py"
    path.write_text(OWN_NETWORK)
    return path


def own(path: str, **arguments: Any) -> schema.Custom:
    return schema.Custom(ModelName.custom, path, arguments)


def build(model: schema.Model, seed: int = 0) -> nn.Module:
    return build_network(model, IMAGE_SHAPE, CLASSES, seed)


def same_weights(one: nn.Module, other: nn.Module) -> bool:
    pairs = zip(one.parameters(), other.parameters(), strict=True)
    return all(torch.equal(first, second) for first, second in pairs)


def test_every_setting_of_an_mlp_reaches_it() -> None:
    network = build(MLP_CONFIG)
    assert isinstance(network, MLP)
    assert str(network) == str(MLP(IMAGE_SHAPE, CLASSES, [5], "tanh", 0.25))


def test_every_setting_of_a_cnn_reaches_it() -> None:
    network = build(CNN_CONFIG)
    assert isinstance(network, CNN)
    expected = CNN(
        IMAGE_SHAPE, CLASSES, [Stage(filters=2)], "global_average", [4], "silu", dropout=0.5
    )
    assert str(network) == str(expected)


@pytest.mark.parametrize("model", [MLP_CONFIG, CNN_CONFIG])
def test_seed_alone_decides_the_weights(model: schema.Model) -> None:
    torch.manual_seed(1)
    first = build(model, seed=7)
    torch.manual_seed(2)
    assert same_weights(first, build(model, seed=7))
    assert not same_weights(first, build(model, seed=8))


def test_seed_decides_the_weights_of_an_own_network(own_file: Path) -> None:
    model = own(f"{own_file}:MyNet")
    assert same_weights(build(model, seed=7), build(model, seed=7))
    assert not same_weights(build(model, seed=7), build(model, seed=8))


@pytest.mark.parametrize("model", [MLP_CONFIG, CNN_CONFIG])
def test_global_random_state_is_left_alone(model: schema.Model) -> None:
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    build(model, seed=7)
    assert torch.equal(torch.rand(3), expected)


def test_vanished_maps_are_refused() -> None:
    model = schema.CNN(ModelName.cnn, [Stage()] * 4, Head.flatten, [], Activation.relu, 0.0)
    with pytest.raises(ConfigError, match=r"model\.stages\.2\.pool"):
        build(model)


def test_own_network_is_called_with_shape_classes_and_arguments(own_file: Path) -> None:
    network = build(own(f"{own_file}:MyNet", width=64))
    shapes = [tuple(weights.shape) for weights in network.parameters()]
    assert shapes == [(64, 16), (64,), (3, 64), (3,)]


def test_own_network_has_its_own_defaults(own_file: Path) -> None:
    network = build(own(f"{own_file}:MyNet"))
    assert next(network.parameters()).shape == (8, 16)


def test_own_network_is_tried_in_eval_mode_and_comes_in_training_mode(own_file: Path) -> None:
    assert build(own(f"{own_file}:OnlyInEvalMode")).training


def test_changed_file_is_read_again(own_file: Path) -> None:
    build(own(f"{own_file}:MyNet"))
    # Another length: Python tells a changed file by time and size.
    own_file.write_text(OWN_NETWORK.replace("width=8", "width=16"))
    assert next(build(own(f"{own_file}:MyNet")).parameters()).shape == (16, 16)


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("no_file.py:MyNet", "there is no file no_file.py"),
        ("my net.py", "write FILE.py:CLASS"),
        ("my net:MyNet", "write FILE.py:CLASS"),
        ("my net.py:", "write FILE.py:CLASS"),
        ("my net.py:My Net", "write FILE.py:CLASS"),
        (":MyNet", "write FILE.py:CLASS"),
        ("my net.py:YourNet", "my net.py has no nn.Module named YourNet"),
        ("my net.py:NoModule", "my net.py has no nn.Module named NoModule"),
        ("my net.py:a_number", "my net.py has no nn.Module named a_number"),
        (
            "my net.py:TooManyLogits",
            r"images \(2, 1, 4, 4\) gives \(2, 4\) where logits \(2, 3\) are needed",
        ),
        ("my net.py:Pair", r"gives tuple where logits \(2, 3\) are needed"),
    ],
)
@pytest.mark.usefixtures("own_file")
def test_own_network_that_cannot_be_used_is_refused(path: str, message: str) -> None:
    with pytest.raises(ConfigError, match=f"^model\\.path={path}: .*{message}"):
        build(own(path))


def test_wrong_argument_is_refused(own_file: Path) -> None:
    with pytest.raises(ConfigError) as refused:
        build(own(f"{own_file}:MyNet", depth=2))
    (fault,) = refused.value.faults
    assert fault.startswith(f"model.path={own_file}:MyNet: ")
    assert "unexpected keyword argument 'depth'" in fault
    assert "model.arguments={'depth': 2}" in fault

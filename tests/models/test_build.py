"""Build networks from the configuration: weights by seed, custom networks, their errors."""

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from csvision.config import model_schema
from csvision.config.model_schema import Activation, GlobalPool, ModelName, Stage
from csvision.errors import ConfigError
from csvision.models.build import build_model
from csvision.models.cnn import CNN
from csvision.models.mlp import MLP

IMAGE_SHAPE = (1, 4, 4)
CLASSES = 3
CUSTOM_NETWORKS = """
from torch import nn

class MyNet(nn.Sequential):
    def __init__(self, image_shape, num_classes, width=8):
        channels, height, image_width = image_shape
        pixels = channels * height * image_width
        super().__init__(nn.Flatten(), nn.Linear(pixels, width), nn.Linear(width, num_classes))

class TooManyLogits(MyNet):
    def __init__(self, image_shape, num_classes):
        super().__init__(image_shape, num_classes + 1)

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
MLP_CONFIG = model_schema.MLPConfig(ModelName.mlp, [5], Activation.tanh, 0.25)
CNN_CONFIG = model_schema.CNNConfig(
    ModelName.cnn, [Stage(filters=2)], GlobalPool.avg, [4], Activation.silu, 0.5
)


@pytest.fixture
def custom_file(tmp_path: Path) -> Path:
    """A file with custom networks."""
    path = tmp_path / "my net.py"
    path.write_text(CUSTOM_NETWORKS)
    return path


def custom(path: str, **kwargs: Any) -> model_schema.CustomModelConfig:
    return model_schema.CustomModelConfig(ModelName.custom, path, kwargs)


def build(model: model_schema.ModelConfig, seed: int = 0) -> nn.Module:
    return build_model(model, IMAGE_SHAPE, CLASSES, seed)


def same_weights(one: nn.Module, other: nn.Module) -> bool:
    pairs = zip(one.parameters(), other.parameters(), strict=True)
    return all(torch.equal(first, second) for first, second in pairs)


def test_custom_network_of_version_0_1_gets_classes(tmp_path: Path) -> None:
    path = tmp_path / "old_net.py"
    path.write_text(CUSTOM_NETWORKS.replace("num_classes", "classes"))
    network = build(custom(f"{path}:MyNet", width=6))
    assert network(torch.zeros(2, *IMAGE_SHAPE)).shape == (2, CLASSES)


def test_mlp_gets_every_setting() -> None:
    network = build(MLP_CONFIG)
    assert isinstance(network, MLP)
    assert str(network) == str(MLP(IMAGE_SHAPE, CLASSES, [5], "tanh", 0.25))


def test_cnn_gets_every_setting() -> None:
    network = build(CNN_CONFIG)
    assert isinstance(network, CNN)
    expected = CNN(IMAGE_SHAPE, CLASSES, [Stage(filters=2)], "avg", [4], "silu", dropout=0.5)
    assert str(network) == str(expected)


@pytest.mark.parametrize("model", [MLP_CONFIG, CNN_CONFIG])
def test_weights_depend_on_the_seed_alone(model: model_schema.ModelConfig) -> None:
    torch.manual_seed(1)
    first = build(model, seed=7)
    torch.manual_seed(2)
    assert same_weights(first, build(model, seed=7))
    assert not same_weights(first, build(model, seed=8))


def test_weights_of_a_custom_network_depend_on_the_seed(custom_file: Path) -> None:
    model = custom(f"{custom_file}:MyNet")
    assert same_weights(build(model, seed=7), build(model, seed=7))
    assert not same_weights(build(model, seed=7), build(model, seed=8))


@pytest.mark.parametrize("model", [MLP_CONFIG, CNN_CONFIG])
def test_global_random_state_is_unchanged(model: model_schema.ModelConfig) -> None:
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    build(model, seed=7)
    assert torch.equal(torch.rand(3), expected)


def test_stage_that_does_not_fit_is_rejected() -> None:
    model = model_schema.CNNConfig(
        ModelName.cnn, [Stage()] * 4, GlobalPool.none, [], Activation.relu, 0.0
    )
    with pytest.raises(ConfigError, match=r"model\.stages\.2\.pool"):
        build(model)


def test_custom_network_gets_image_shape_classes_and_kwargs(custom_file: Path) -> None:
    network = build(custom(f"{custom_file}:MyNet", width=64))
    shapes = [tuple(weights.shape) for weights in network.parameters()]
    assert shapes == [(64, 16), (64,), (3, 64), (3,)]


def test_custom_network_keeps_its_defaults(custom_file: Path) -> None:
    network = build(custom(f"{custom_file}:MyNet"))
    assert next(network.parameters()).shape == (8, 16)


def test_custom_network_is_checked_in_eval_mode_and_returned_in_training_mode(
    custom_file: Path,
) -> None:
    assert build(custom(f"{custom_file}:OnlyInEvalMode")).training


def test_changed_file_is_imported_again(custom_file: Path) -> None:
    build(custom(f"{custom_file}:MyNet"))
    # Python detects a change by time and size; the time may be the same.
    custom_file.write_text(CUSTOM_NETWORKS.replace("width=8", "width=16"))
    assert next(build(custom(f"{custom_file}:MyNet")).parameters()).shape == (16, 16)


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("no_file.py:MyNet", "no_file.py does not exist"),
        ("my net.py", "FILE.py:CLASS"),
        ("my net:MyNet", "FILE.py:CLASS"),
        ("my net.py:", "FILE.py:CLASS"),
        ("my net.py:My Net", "FILE.py:CLASS"),
        (":MyNet", "FILE.py:CLASS"),
        ("my net.py:YourNet", "my net.py defines no nn.Module named YourNet"),
        ("my net.py:NoModule", "my net.py defines no nn.Module named NoModule"),
        ("my net.py:a_number", "my net.py defines no nn.Module named a_number"),
        ("my net.py:TooManyLogits", r"images \(2, 1, 4, 4\) returns \(2, 4\); .* \(2, 3\)"),
        ("my net.py:Pair", r"returns tuple; .* \(2, 3\)"),
    ],
)
@pytest.mark.usefixtures("custom_file")
def test_invalid_custom_network_is_rejected(path: str, message: str) -> None:
    with pytest.raises(ConfigError, match=f"^model\\.path={path}: .*{message}"):
        build(custom(path))


def test_wrong_kwarg_is_named(custom_file: Path) -> None:
    with pytest.raises(ConfigError) as raised:
        build(custom(f"{custom_file}:MyNet", depth=2))
    (message,) = raised.value.messages
    assert message.startswith(f"model.path={custom_file}:MyNet: ")
    assert "unexpected keyword argument 'depth'" in message
    assert "model.kwargs={'depth': 2}" in message

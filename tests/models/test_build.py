"""Build networks from the configuration: settings, weights by seed, errors."""

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
MLP_CONFIG = model_schema.MLPConfig(ModelName.mlp, [5], Activation.tanh, 0.25)
CNN_CONFIG = model_schema.CNNConfig(
    ModelName.cnn, [Stage(filters=2)], GlobalPool.avg, [4], Activation.silu, 0.5
)


def build(model: model_schema.ModelConfig, seed: int = 0) -> nn.Module:
    return build_model(model, IMAGE_SHAPE, CLASSES, seed)


def same_weights(one: nn.Module, other: nn.Module) -> bool:
    pairs = zip(one.parameters(), other.parameters(), strict=True)
    return all(torch.equal(first, second) for first, second in pairs)


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

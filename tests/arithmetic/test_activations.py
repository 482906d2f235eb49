"""What training keeps, against the tensors that autograd saves."""

from dataclasses import replace
from math import prod

import pytest
import torch
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from csvision.arithmetic.activations import IMAGE, kept_bytes
from csvision.config.model_schema import (
    Activation,
    CNNConfig,
    GlobalPool,
    MLPConfig,
    ModelName,
    Normalization,
    PaddingMode,
    Pool,
    Stage,
)
from csvision.errors import ConfigError
from csvision.layer_shapes import Shape, layer_table
from csvision.models.build import build_model
from tests.test_layer_shapes import CLASSES, cnn_of, cnns, image_shapes

BATCH = 3


def saved_bytes(network: nn.Module, images: Tensor) -> int:
    """Return the bytes of all tensors that autograd saves, without parameters and buffers."""
    own = {tensor.data_ptr() for tensor in (*network.parameters(), *network.buffers())}
    saved: dict[int, Tensor] = {}

    def pack(tensor: Tensor) -> Tensor:
        if tensor.data_ptr() not in own:
            # Kept alive, so that no later tensor has the same address.
            saved[tensor.untyped_storage().data_ptr()] = tensor
        return tensor

    network.train()
    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        network(images)
    return sum(tensor.untyped_storage().nbytes() for tensor in saved.values() if tensor.numel())


def assert_kept_is_saved(model: CNNConfig | MLPConfig, image_shape: Shape) -> None:
    layers = layer_table(model, image_shape, CLASSES)
    assert layers is not None
    kept = kept_bytes(model, layers)
    names = {IMAGE, *(layer.name for layer in layers)}
    assert {*kept.per_image, *kept.constant} <= names
    network = build_model(model, image_shape, CLASSES, seed=0)
    total = sum(kept.of_batch(name, BATCH) for name in names)
    assert total == saved_bytes(network, torch.randn(BATCH, *image_shape))


@pytest.mark.slow
def test_default_cnn_by_hand() -> None:
    model = cnn_of(Stage(32), Stage(64))
    layers = layer_table(model, (1, 28, 28), 10)
    assert layers is not None
    kept = kept_bytes(model, layers)
    assert kept.constant == {}
    assert kept.per_image == {
        "image": 4 * 784,
        "stages.0.convolution": 4 * 32 * 784,
        "stages.0.pool": 4 * 32 * 196 + 8 * 32 * 196,
        "stages.1.convolution": 4 * 64 * 196,
        "stages.1.pool": 4 * 64 * 49 + 8 * 64 * 49,
        # Maps with the channels last are copied.
        "flatten": 4 * 64 * 49,
    }


@pytest.mark.parametrize("activation", Activation)
@pytest.mark.parametrize("pool", Pool)
def test_kept_bytes_are_those_that_autograd_saves(activation: Activation, pool: Pool) -> None:
    plain = Stage(4, activation=activation, pool=pool)
    assert_kept_is_saved(cnn_of(plain, plain), (1, 9, 7))
    stage = replace(plain, residual=1, dropout=0.5)
    model = replace(cnn_of(stage, stage), hidden=[5], activation=activation, dropout=0.5)
    assert_kept_is_saved(model, (2, 9, 7))


@pytest.mark.slow
@given(model=cnns, image_shape=image_shapes, residual=st.integers(0, 1))
@settings(max_examples=40, deadline=None)
@example(cnn_of(Stage(padding=0, padding_mode=PaddingMode.reflect)), (1, 5, 5), 0)
@example(cnn_of(Stage(kernel_size=2, padding="same")), (1, 5, 5), 1)
@example(cnn_of(Stage(kernel_size=1, padding=0)), (1, 4, 4), 0)
@example(replace(cnn_of(Stage()), global_pool=GlobalPool.max), (1, 5, 5), 0)
def test_kept_bytes_of_any_cnn_are_those_that_autograd_saves(
    model: CNNConfig, image_shape: Shape, residual: int
) -> None:
    model = replace(model, stages=[replace(each, residual=residual) for each in model.stages])
    try:
        layer_table(model, image_shape, CLASSES)
    except ConfigError:
        assume(False)
    assert_kept_is_saved(model, image_shape)


@pytest.mark.parametrize("hidden", [[], [7], [7, 6]])
@pytest.mark.parametrize("dropout", [0.0, 0.5])
def test_kept_bytes_of_an_mlp(hidden: list[int], dropout: float) -> None:
    model = MLPConfig(ModelName.mlp, hidden, Activation.gelu, dropout)
    assert_kept_is_saved(model, (2, 4, 5))


def test_normalization_of_an_image_keeps_its_statistics() -> None:
    model = cnn_of(Stage(4, normalization=Normalization.instance, pool=Pool.none))
    layers = layer_table(model, (1, 4, 4), CLASSES)
    assert layers is not None
    values = 4 * prod((4, 4, 4))
    assert kept_bytes(model, layers).per_image["stages.0.normalization"] == values + 2 * 4 * 4

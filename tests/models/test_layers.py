"""Layers by hand and against torch's functions."""

from collections.abc import Callable

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from csvision.config.model_schema import Activation, Normalization, PaddingMode, Pool
from csvision.models.layers import (
    MinPool2d,
    activation_layer,
    dense_layers,
    normalization_layer,
    padding_layer,
    pooling_layer,
)


@pytest.mark.parametrize(
    ("name", "function"),
    [
        ("relu", F.relu),
        ("leaky_relu", F.leaky_relu),
        ("gelu", F.gelu),
        ("silu", F.silu),
        ("tanh", torch.tanh),
        ("sigmoid", torch.sigmoid),
        ("none", lambda values: values),
    ],
)
def test_activation_is_the_torch_function_of_that_name(
    name: str, function: Callable[[Tensor], Tensor]
) -> None:
    values = torch.linspace(-3, 3, 13)
    assert torch.equal(activation_layer(Activation(name))(values), function(values))


@pytest.mark.parametrize(
    ("pool", "expected"),
    [
        ("max", [[6.0, 8.0]]),
        ("avg", [[3.5, 2.5]]),
        ("min", [[1.0, -4.0]]),
        ("none", [[1.0, 2.0, 3.0, -4.0], [5.0, 6.0, 3.0, 8.0]]),
    ],
)
def test_pooling_by_hand(pool: str, expected: list[list[float]]) -> None:
    image = torch.tensor([[[1.0, 2.0, 3.0, -4.0], [5.0, 6.0, 3.0, 8.0]]])
    assert pooling_layer(Pool(pool), 2, 2)(image)[0].tolist() == expected


@given(
    sizes=st.tuples(st.integers(3, 6), st.integers(3, 6)),
    window=st.integers(1, 3),
    stride=st.integers(1, 3),
)
@settings(max_examples=30, deadline=None)
def test_min_pooling_is_negated_max_pooling(
    sizes: tuple[int, int], window: int, stride: int
) -> None:
    x = torch.randn(2, 3, *sizes, requires_grad=True)
    minimum = MinPool2d(window, stride)(x)
    expected = -F.max_pool2d(-x, window, stride)
    assert torch.equal(minimum, expected)
    (gradient,) = torch.autograd.grad(minimum.sum(), x, retain_graph=True)
    assert torch.equal(gradient, torch.autograd.grad(expected.sum(), x)[0])


@pytest.mark.parametrize(
    ("mode", "expected"),
    [
        ("zeros", [0, 1, 2, 3, 0, 0]),
        ("reflect", [2, 1, 2, 3, 2, 1]),
        ("replicate", [1, 1, 2, 3, 3, 3]),
        ("circular", [3, 1, 2, 3, 1, 2]),
    ],
)
def test_asymmetric_padding_by_hand(mode: str, expected: list[int]) -> None:
    image = torch.tensor([[[[1.0, 2.0, 3.0], [4.0, 5.0, 6.0], [7.0, 8.0, 9.0]]]])
    padded = padding_layer(PaddingMode(mode), (1, 2))(image)[0, 0]
    assert padded.shape == (6, 6)
    assert padded[1].tolist() == expected
    # Values increase by 1 per column and by 3 per row, so both axes must be padded alike.
    columns = [1 + 3 * (value - 1) if value else 0 for value in expected]
    assert padded[:, 1].tolist() == columns


@pytest.mark.parametrize(
    ("normalization", "axes"), [("batch", (0, 2, 3)), ("instance", (2, 3)), ("layer", (1, 2, 3))]
)
def test_normalization_averages_over_its_axes(normalization: str, axes: tuple[int, ...]) -> None:
    x = 5 + 3 * torch.randn(4, 3, 6, 6)
    mean, variance = x.mean(axes, keepdim=True), x.var(axes, unbiased=False, keepdim=True)
    normalized = normalization_layer(Normalization(normalization), 3)(x)
    torch.testing.assert_close(normalized, (x - mean) / (variance + 1e-5).sqrt())


def test_no_normalization_is_the_identity() -> None:
    x = torch.randn(4, 3, 6, 6)
    assert torch.equal(normalization_layer(Normalization.none, 3)(x), x)


def test_dense_layers_return_their_number_of_outputs() -> None:
    layers, outputs = dense_layers(4, (5, 6), Activation.relu, dropout=0.0)
    assert layers(torch.zeros(2, 4)).shape == (2, outputs) == (2, 6)
    empty, outputs = dense_layers(4, (), Activation.relu, dropout=0.5)
    assert (list(empty.parameters()), outputs) == ([], 4)
    assert not any(isinstance(module, nn.Dropout) for module in empty.modules())

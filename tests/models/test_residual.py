"""Residual blocks: by hand, against torch's functions, and in the layer table."""

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from csvision.config import model_schema
from csvision.config.model_schema import (
    Activation,
    GlobalPool,
    ModelName,
    Normalization,
    Pool,
    Stage,
)
from csvision.layer_shapes import LayerSummary, layer_table
from csvision.models.build import build_model
from csvision.models.cnn import CNN
from csvision.models.layers import activation_layer
from csvision.models.residual import ResidualBlock

IMAGE_SHAPE = (3, 9, 8)
CLASSES = 5


def random_features(*shape: int) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(0))


def cnn(*stages: Stage) -> model_schema.CNNConfig:
    return model_schema.CNNConfig(
        ModelName.cnn, list(stages), GlobalPool.avg, [7], Activation.relu, 0.0
    )


def table(model: model_schema.CNNConfig) -> list[LayerSummary]:
    layers = layer_table(model, IMAGE_SHAPE, CLASSES)
    assert layers is not None
    return layers


@pytest.mark.parametrize("shape", [(2, 4, 5, 5), (1, 4, 1, 1), (3, 4, 2, 7)])
@pytest.mark.parametrize("normalization", [Normalization.none, Normalization.layer])
def test_block_keeps_the_shape(shape: tuple[int, ...], normalization: Normalization) -> None:
    block = ResidualBlock(4, normalization, Activation.relu)
    assert block(random_features(*shape)).shape == shape


@pytest.mark.parametrize("activation", Activation)
@pytest.mark.parametrize("normalization", Normalization)
@pytest.mark.parametrize("training", [True, False])
def test_block_of_zero_weights_is_its_activation(
    activation: Activation, normalization: Normalization, training: bool
) -> None:
    block = ResidualBlock(4, normalization, activation).train(training)
    for module in block.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.zeros_(module.weight)
            assert module.bias is not None
            nn.init.zeros_(module.bias)
    x = random_features(3, 4, 5, 6)
    torch.testing.assert_close(block(x), activation_layer(activation)(x))


def test_block_by_hand() -> None:
    block = ResidualBlock(1, Normalization.none, Activation.relu)
    center = torch.zeros(1, 1, 3, 3)
    center[0, 0, 1, 1] = 1
    state = {"first.convolution.weight": -2 * center, "second.convolution.weight": 3 * center}
    state |= {"first.convolution.bias": torch.ones(1), "second.convolution.bias": -torch.ones(1)}
    block.load_state_dict(state)
    x = torch.tensor([[[[-2.0, -1.0, 0.0, 0.5, 1.0]]]])
    # First relu(1 - 2x): 5, 3, 1, 0, 0; then 3y - 1: 14, 8, 2, -1, -1; with x: 12, 7, 2, -0.5, 0.
    assert block(x).tolist() == [[[[12.0, 7.0, 2.0, 0.0, 0.0]]]]


@pytest.mark.parametrize("normalization", [Normalization.none, Normalization.batch])
def test_block_adds_its_input_to_the_output_of_two_convolutions(
    normalization: Normalization,
) -> None:
    block = ResidualBlock(4, normalization, Activation.gelu)
    state = block.state_dict()
    x = random_features(3, 4, 6, 5)

    def conv_norm(name: str, values: Tensor) -> Tensor:
        convolution = f"{name}.convolution"
        weight, bias = state[f"{convolution}.weight"], state[f"{convolution}.bias"]
        values = F.conv2d(values, weight, bias, padding=1)
        if normalization is Normalization.none:
            return values
        mean = values.mean(dim=(0, 2, 3), keepdim=True)
        variance = values.var(dim=(0, 2, 3), keepdim=True, correction=0)
        return (values - mean) / (variance + 1e-5).sqrt()

    expected = F.gelu(x + conv_norm("second", F.gelu(conv_norm("first", x))))
    torch.testing.assert_close(block(x), expected)


STAGES = {
    normalization: (
        Stage(filters=4, normalization=normalization, residual=2),
        Stage(filters=6, normalization=normalization, residual=0, pool=Pool.none),
        Stage(filters=6, normalization=normalization, residual=1, pool=Pool.none, dropout=0.1),
    )
    for normalization in Normalization
}


@pytest.mark.parametrize("normalization", Normalization)
def test_layer_table_has_the_modules_of_the_network_in_order(
    normalization: Normalization,
) -> None:
    model = cnn(*STAGES[normalization])
    network = build_model(model, IMAGE_SHAPE, CLASSES, seed=0).eval()
    modules = dict(network.named_modules())
    shapes: dict[str, tuple[tuple[int, ...], tuple[int, ...]]] = {}
    for layer in table(model):
        modules[layer.name].register_forward_hook(
            lambda _, inputs, output, name=layer.name: shapes.update(
                {name: (tuple(inputs[0].shape[1:]), tuple(output.shape[1:]))}
            )
        )
    counter = FlopCounterMode(display=False)
    with counter, torch.no_grad():
        network(torch.zeros(1, *IMAGE_SHAPE))
    expected = {layer.name: (layer.input_shape, layer.output_shape) for layer in table(model)}
    assert list(shapes.items()) == list(expected.items())
    assert 2 * sum(layer.multiply_adds for layer in table(model)) == counter.get_total_flops()


@pytest.mark.parametrize("normalization", Normalization)
def test_layer_table_counts_every_parameter_once(normalization: Normalization) -> None:
    model = cnn(*STAGES[normalization])
    network = build_model(model, IMAGE_SHAPE, CLASSES, seed=0)
    modules = dict(network.named_modules())
    for layer in table(model):
        parameters = sum(weights.numel() for weights in modules[layer.name].parameters())
        assert layer.parameters == parameters
    total = sum(weights.numel() for weights in network.parameters())
    assert sum(layer.parameters for layer in table(model)) == total


def test_layer_table_names_blocks_and_their_convolutions() -> None:
    names = [layer.name for layer in table(cnn(*STAGES[Normalization.batch][:1]))]
    assert names == [
        "stages.0.convolution",
        "stages.0.normalization",
        "stages.0.pool",
        "stages.0.residual.0.first.convolution",
        "stages.0.residual.0.first.normalization",
        "stages.0.residual.0.second.convolution",
        "stages.0.residual.0.second.normalization",
        "stages.0.residual.1.first.convolution",
        "stages.0.residual.1.first.normalization",
        "stages.0.residual.1.second.convolution",
        "stages.0.residual.1.second.normalization",
        "global_pool",
        "dense.0",
        "logits",
    ]


def test_every_parameter_gets_a_gradient() -> None:
    network = CNN(IMAGE_SHAPE, CLASSES, STAGES[Normalization.batch])
    logits = network(random_features(4, *IMAGE_SHAPE))
    F.cross_entropy(logits, torch.tensor([0, 1, 2, 3])).backward()
    for name, weights in network.named_parameters():
        assert weights.grad is not None, name
        # Batch normalization cancels a bias before it.
        assert weights.grad.any() or name.endswith("convolution.bias"), name

"""The layer table: measured it says what arithmetic says, and it works for a user's own network."""

import pytest
import torch
from torch import Tensor, nn

from csvision import schema
from csvision.geometry import Layer, layer_table
from csvision.models.build import build_network
from csvision.models.summary import describe_network, format_table, measure_layers
from csvision.schema import Activation, Head, ModelName, Normalization, Stage

IMAGE_SHAPE = (1, 28, 28)
DEFAULT = schema.CNN(
    ModelName.cnn, [Stage(32), Stage(64)], Head.flatten, [64], Activation.relu, 0.0
)
RICH = schema.CNN(
    ModelName.cnn,
    [
        Stage(4, 2, padding="same", normalization=Normalization.batch, dropout=0.5),
        Stage(6, 3, stride=2, padding="full", normalization=Normalization.layer),
        Stage(3, 3, dilation=2, normalization=Normalization.instance),
    ],
    Head.global_max,
    [5, 4],
    Activation.gelu,
    0.25,
)
TABLE = """\
layer    parameters  multiply-adds  input shape  output shape
flatten           0              0  1x2x3        6
dense.0       7,000          6,000  6            1000
logits        2,002          2,000  1000         2
total         9,002          8,000"""


class Twice(nn.Module):
    """A network that goes through one layer two times and shares its weights with another."""

    def __init__(self) -> None:
        super().__init__()
        self.flatten = nn.Flatten()
        self.mix = nn.Linear(4, 4)
        self.tied = nn.Linear(4, 4, bias=False)
        self.tied.weight = self.mix.weight
        self.logits = nn.Linear(4, 2)

    def forward(self, images: Tensor) -> Tensor:
        mixed = self.mix(self.mix(self.flatten(images)))
        logits: Tensor = self.logits(input=self.tied(mixed))
        return logits


class Recurrent(nn.Module):
    """A network with a layer that gives more than one tensor."""

    def __init__(self) -> None:
        super().__init__()
        self.rows = nn.LSTM(8, 5, batch_first=True)
        self.logits = nn.Linear(5, 3)

    def forward(self, images: Tensor) -> Tensor:
        outputs, _ = self.rows(images[:, 0])
        logits: Tensor = self.logits(outputs[:, -1])
        return logits


@pytest.mark.parametrize("model", [DEFAULT, RICH])
def test_measured_layers_agree_with_arithmetic(model: schema.CNN) -> None:
    calculated = layer_table(model, IMAGE_SHAPE, 10)
    assert calculated is not None
    measured = measure_layers(build_network(model, IMAGE_SHAPE, 10, seed=0), IMAGE_SHAPE)
    assert sum(layer.parameters for layer in measured) == sum(
        layer.parameters for layer in calculated
    )
    # Heads and dense layers go by other names in the two tables, but they run in one order.
    assert [layer.multiply_adds for layer in measured if layer.multiply_adds] == [
        layer.multiply_adds for layer in calculated if layer.multiply_adds
    ]
    outputs = {layer.name: layer.output_shape for layer in measured}
    for layer in calculated:
        if not layer.name.startswith(("head", "dense")):
            assert outputs[layer.name] == layer.output_shape


def test_module_used_twice_costs_twice_and_its_weights_count_once() -> None:
    network = Twice()
    assert measure_layers(network, (1, 2, 2)) == [
        Layer("flatten", 0, 0, (1, 2, 2), (4,)),
        Layer("mix", 20, 16, (4,), (4,)),
        Layer("mix", 0, 16, (4,), (4,)),
        Layer("tied", 0, 16, (4,), (4,)),
        Layer("logits", 10, 8, (4,), (2,)),
    ]


def test_layer_that_gives_more_than_one_tensor_shows_the_first() -> None:
    rows, logits = measure_layers(Recurrent(), (1, 8, 8))
    assert (rows.name, rows.input_shape, rows.output_shape) == ("rows", (8, 8), (8, 5))
    assert rows.parameters == 4 * 5 * (8 + 5) + 2 * 4 * 5
    assert logits == Layer("logits", 18, 15, (5,), (3,))


def test_measuring_leaves_no_trace() -> None:
    network = build_network(RICH, IMAGE_SHAPE, 10, seed=0)
    before = {name: value.clone() for name, value in network.state_dict().items()}
    random_state = torch.get_rng_state()
    measure_layers(network, IMAGE_SHAPE)
    assert network.training
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())
    assert torch.equal(torch.get_rng_state(), random_state)
    assert not any(module._forward_hooks for module in network.modules())
    measure_layers(network.eval(), IMAGE_SHAPE)
    assert not network.training


def test_table_as_text() -> None:
    mlp = schema.MLP(ModelName.mlp, [1_000], Activation.relu, 0.0)
    network = build_network(mlp, (1, 2, 3), 2, seed=0)
    assert describe_network(network, mlp, (1, 2, 3), 2) == TABLE


def test_own_network_is_measured() -> None:
    own = schema.Custom(ModelName.custom, "my_net.py:Twice", {})
    network = Twice()
    described = describe_network(network, own, (1, 2, 2), 2)
    assert described == format_table(measure_layers(network, (1, 2, 2)))
    assert described.splitlines()[-1].split() == ["total", "30", "56"]

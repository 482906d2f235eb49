"""The layer table: computed and measured rows agree; custom networks are measured."""

import pytest
import torch
from torch import Tensor, nn

from csvision.config import model_schema
from csvision.config.model_schema import Activation, GlobalPool, ModelName, Normalization, Stage
from csvision.layer_shapes import LayerSummary, layer_table
from csvision.models.build import build_model
from csvision.models.summary import format_table, profile_layers, profile_model, summarize

IMAGE_SHAPE = (1, 28, 28)
DEFAULT = model_schema.CNNConfig(
    ModelName.cnn, [Stage(32), Stage(64)], GlobalPool.none, [64], Activation.relu, 0.0
)
RICH = model_schema.CNNConfig(
    ModelName.cnn,
    [
        Stage(4, 2, padding="same", normalization=Normalization.batch, dropout=0.5),
        Stage(6, 3, stride=2, padding="full", normalization=Normalization.layer),
        Stage(3, 3, dilation=2, normalization=Normalization.instance),
    ],
    GlobalPool.max,
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
    """A network that uses one layer twice and shares its weights with another."""

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


class Scaled(nn.Module):
    """A network with a parameter outside of its leaf modules."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(3))
        self.layers = nn.Sequential(nn.Flatten(), nn.Linear(4, 3))

    def forward(self, images: Tensor) -> Tensor:
        logits: Tensor = self.layers(images) * self.scale
        return logits


class Recurrent(nn.Module):
    """A network with a layer that returns several tensors."""

    def __init__(self) -> None:
        super().__init__()
        self.rows = nn.LSTM(8, 5, batch_first=True)
        self.logits = nn.Linear(5, 3)

    def forward(self, images: Tensor) -> Tensor:
        outputs, _ = self.rows(images[:, 0])
        logits: Tensor = self.logits(outputs[:, -1])
        return logits


@pytest.mark.parametrize("model", [DEFAULT, RICH])
def test_measured_layers_agree_with_the_computed_ones(model: model_schema.CNNConfig) -> None:
    computed = layer_table(model, IMAGE_SHAPE, 10)
    assert computed is not None
    measured = profile_layers(build_model(model, IMAGE_SHAPE, 10, seed=0), IMAGE_SHAPE)
    assert sum(layer.parameters for layer in measured) == sum(
        layer.parameters for layer in computed
    )
    # Pooling and dense layers have different names in the two tables, but the same order.
    assert [layer.multiply_adds for layer in measured if layer.multiply_adds] == [
        layer.multiply_adds for layer in computed if layer.multiply_adds
    ]
    outputs = {layer.name: layer.output_shape for layer in measured}
    for layer in computed:
        if not layer.name.startswith(("flatten", "global_pool", "dense")):
            assert outputs[layer.name] == layer.output_shape


def test_module_used_twice_is_listed_twice_and_its_weights_count_once() -> None:
    network = Twice()
    assert profile_layers(network, (1, 2, 2)) == [
        LayerSummary("flatten", 0, 0, (1, 2, 2), (4,)),
        LayerSummary("mix", 20, 16, (4,), (4,)),
        LayerSummary("mix", 0, 16, (4,), (4,)),
        LayerSummary("tied", 0, 16, (4,), (4,)),
        LayerSummary("logits", 10, 8, (4,), (2,)),
    ]


def test_layer_that_returns_several_tensors_shows_the_first() -> None:
    rows, logits = profile_layers(Recurrent(), (1, 8, 8))
    assert (rows.name, rows.input_shape, rows.output_shape) == ("rows", (8, 8), (8, 5))
    assert rows.parameters == 4 * 5 * (8 + 5) + 2 * 4 * 5
    assert logits == LayerSummary("logits", 18, 15, (5,), (3,))


def test_measuring_restores_the_network() -> None:
    network = build_model(RICH, IMAGE_SHAPE, 10, seed=0)
    before = {name: value.clone() for name, value in network.state_dict().items()}
    random_state = torch.get_rng_state()
    profile_layers(network, IMAGE_SHAPE)
    assert network.training
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())
    assert torch.equal(torch.get_rng_state(), random_state)
    assert not any(module._forward_hooks for module in network.modules())
    profile_layers(network.eval(), IMAGE_SHAPE)
    assert not network.training


def test_table_is_formatted_as_text() -> None:
    mlp = model_schema.MLPConfig(ModelName.mlp, [1_000], Activation.relu, 0.0)
    network = build_model(mlp, (1, 2, 3), 2, seed=0)
    assert summarize(network, mlp, (1, 2, 3), 2) == TABLE


def test_custom_network_is_measured() -> None:
    custom = model_schema.CustomModelConfig(ModelName.custom, "my_net.py:Twice", {})
    network = Twice()
    summary = summarize(network, custom, (1, 2, 2), 2)
    assert summary == format_table(profile_layers(network, (1, 2, 2)))
    assert summary.splitlines()[-1].split() == ["total", "30", "56"]


def test_parameters_outside_of_leaf_modules_have_a_row() -> None:
    *_, linear, other = profile_model(Scaled(), (1, 2, 2))
    assert (linear.name, linear.parameters) == ("layers.1", 15)
    assert other == LayerSummary("other", 3, 0, (), ())
    assert "other" not in [layer.name for layer in profile_model(Twice(), (1, 2, 2))]


@pytest.mark.filterwarnings("ignore:`torch.jit.script` is:DeprecationWarning")
def test_scripted_layers_are_counted_as_others() -> None:
    scripted = torch.jit.script(nn.Linear(3, 2))
    network = nn.Sequential(nn.Flatten(), nn.Linear(4, 3), scripted)
    names = [row.name for row in profile_model(network, (1, 2, 2))]
    assert names == ["0", "1", "other"]
    assert profile_model(network, (1, 2, 2))[-1].parameters == 3 * 2 + 2

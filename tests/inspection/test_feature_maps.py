"""Feature maps with the arithmetic of each layer."""

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from csvision.config.model_schema import (
    Activation,
    CNNConfig,
    GlobalPool,
    ModelName,
    Normalization,
    Stage,
)
from csvision.inspection.applicable import NotApplicable
from csvision.inspection.feature_maps import collect_feature_maps
from csvision.inspection.layers import record_layers
from csvision.layer_shapes import cnn_table
from csvision.models.cnn import CNN

SHAPE = (3, 13, 17)
STAGES = [
    Stage(filters=4, normalization=Normalization.batch, residual=1),
    Stage(filters=5, dropout=0.5),
]


def test_arithmetic_is_that_of_the_layer_table() -> None:
    network = CNN(SHAPE, 3, STAGES, hidden=(6,)).eval()
    maps = collect_feature_maps(network, record_layers(network, torch.rand(2, *SHAPE)), SHAPE)
    config = CNNConfig(ModelName.cnn, STAGES, GlobalPool.none, [6], Activation.relu, 0.0)
    found = {each.name: each for each in maps}
    table = [row for row in cnn_table(config, SHAPE, 3) if row.name != "flatten"]
    for row in table:
        layer = found.get(row.name) or found[f"{row.name}.linear"]
        assert (layer.parameters, layer.multiply_adds) == (row.parameters, row.multiply_adds)
        assert (layer.input_shape, layer.output_shape) == (row.input_shape, row.output_shape)
    assert sum(each.parameters for each in maps) == sum(row.parameters for row in table)
    # Dropout and flattening change no values in evaluation mode.
    assert not any("dropout" in name or "flatten" in name for name in found)


def test_values_are_those_of_the_network() -> None:
    network = CNN(SHAPE, 3, STAGES).eval()
    images = torch.rand(2, *SHAPE)
    maps = collect_feature_maps(network, record_layers(network, images), SHAPE)
    np.testing.assert_array_equal(maps[-1].values, network(images).detach().numpy())
    features = network.stages[0](images).detach().numpy()
    np.testing.assert_array_equal(
        next(each for each in maps if each.name == "stages.1.convolution").values,
        network.stages[1].convolution(torch.from_numpy(features)).detach().numpy(),  # type: ignore[operator]
    )


class Reused(nn.Module):
    """Calls one module twice, which changes its input in place."""

    def __init__(self) -> None:
        super().__init__()
        self.convolution = nn.Conv2d(3, 3, 3, padding=1)
        self.relu = nn.ReLU(inplace=True)

    def forward(self, images: Tensor) -> Tensor:
        features = self.relu(self.convolution(self.relu(self.convolution(images))))
        output: Tensor = features.mean((2, 3))
        return output


def test_modules_that_are_called_again_are_numbered() -> None:
    network, images = Reused(), torch.rand(1, *SHAPE)
    maps = collect_feature_maps(network, record_layers(network, images), SHAPE)
    assert [each.name for each in maps] == ["convolution", "relu", "convolution#2", "relu#2"]
    # The values before the ReLU that changes them.
    np.testing.assert_allclose(maps[0].values, network.convolution(images).detach().numpy())
    assert (maps[0].values < 0).any()
    assert maps[0].parameters == 84
    # Shared weights count once.
    assert (maps[2].parameters, maps[2].multiply_adds) == (0, maps[0].multiply_adds)
    assert maps[2].receptive_field is not None
    assert maps[2].receptive_field.height == 5


class NoLayers(nn.Module):
    """A network without modules."""

    def forward(self, images: Tensor) -> Tensor:
        return images.mean((2, 3))


def test_network_without_layers_does_not_apply() -> None:
    network = NoLayers()
    with pytest.raises(NotApplicable):
        collect_feature_maps(network, record_layers(network, torch.rand(1, *SHAPE)), SHAPE)

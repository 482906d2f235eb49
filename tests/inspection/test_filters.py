"""First-layer weights as images."""

import numpy as np
import pytest
import torch
from torch import nn

from csvision.inspection.applicable import NotApplicable
from csvision.inspection.filters import MAX_FILTERS, compare_filters
from csvision.inspection.layers import LayerCall, record_layers
from csvision.models.mlp import MLP

SHAPE = (2, 3, 4)


def calls_of(network: nn.Module) -> list[LayerCall]:
    return record_layers(network, torch.zeros(1, *SHAPE))


def test_convolution_is_compared_with_its_initial_weights() -> None:
    trained, initial = nn.Conv2d(2, 3, 2), nn.Conv2d(2, 3, 2)
    with torch.no_grad():
        trained.weight.copy_(initial.weight * torch.tensor([1.0, 2.0, -1.0]).reshape(3, 1, 1, 1))
    found = compare_filters(
        calls_of(nn.Sequential(trained)), SHAPE, nn.Sequential(initial), "verified"
    )
    assert (found.layer, found.kind, found.total) == ("0", "Conv2d", 3)
    assert found.changes == pytest.approx([0, 1, 2])
    assert found.trained.shape == (3, 2, 2, 2)
    assert found.initial is not None
    np.testing.assert_allclose(found.initial, initial.weight.detach().numpy())
    assert found.norms == pytest.approx(np.array(found.initial_norms) * [1, 2, 1])


def test_weights_of_an_mlp_are_images() -> None:
    network = MLP(SHAPE, 3, hidden=(5,))
    found = compare_filters(calls_of(network), SHAPE, None, "no seed")
    layer = network.get_submodule(found.layer)
    assert isinstance(layer, nn.Linear)
    np.testing.assert_allclose(found.trained[4, 1, 2, 3], layer.weight[4, 23].detach().numpy())
    assert (found.initial, found.changes, found.initial_status) == (None, None, "no seed")


def test_filters_with_the_largest_norm_are_shown() -> None:
    layer = nn.Conv2d(2, MAX_FILTERS + 3, 1)
    with torch.no_grad():
        layer.weight[:3] = 0
    found = compare_filters(calls_of(nn.Sequential(layer)), SHAPE, None, "")
    assert found.total == MAX_FILTERS + 3
    assert found.shown == list(range(3, MAX_FILTERS + 3))


@pytest.mark.parametrize(
    ("network", "reason"),
    [
        (nn.Sequential(nn.AvgPool2d(2), nn.Flatten(), nn.Linear(4, 2)), "4 inputs"),
        (nn.Sequential(nn.Flatten(), nn.ReLU()), "no nn.Conv2d and no nn.Linear"),
    ],
)
def test_other_first_layers_do_not_apply(network: nn.Module, reason: str) -> None:
    with pytest.raises(NotApplicable, match=reason):
        compare_filters(calls_of(network), SHAPE, None, "")

"""Grad-CAM, occlusion and integrated gradients against small cases worked by hand."""

import copy

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from csvision.inspection.applicable import NotApplicable
from csvision.inspection.attributions import (
    ShownImages,
    attribute_by_grad_cam,
    attribute_by_integrated_gradients,
    attribute_by_occlusion,
    rank_correlation,
)
from csvision.inspection.layers import record_layers
from csvision.models.cnn import CNN
from csvision.models.mlp import MLP


class Small(nn.Module):
    """Two 1x1 filters, 1 and -2; logits are 3 and -1 times their means, and the opposite."""

    def __init__(self, inplace: bool = False) -> None:
        super().__init__()
        self.convolution = nn.Conv2d(1, 2, 1, bias=False)
        self.relu = nn.ReLU(inplace) if inplace else nn.Identity()
        self.logits = nn.Linear(2, 2, bias=False)
        with torch.no_grad():
            self.convolution.weight.copy_(torch.tensor([1.0, -2.0]).reshape(2, 1, 1, 1))
            self.logits.weight.copy_(torch.tensor([[3.0, -1.0], [-3.0, 1.0]]))

    def forward(self, images: Tensor) -> Tensor:
        logits: Tensor = self.logits(self.relu(self.convolution(images)).mean((2, 3)))
        return logits


IMAGE = torch.tensor([[1.0, 2.0], [-1.0, 0.0]])[None, None]


def shown(network: nn.Module, values: Tensor, targets: list[int]) -> ShownImages:
    control = copy.deepcopy(network)
    return ShownImages(
        network, control, values, torch.tensor(targets), torch.zeros(values.shape[1], 1, 1), 4
    )


def test_grad_cam_by_hand() -> None:
    """Weights are the mean gradients 3/4 and -1/4; the map is relu(3/4 x + (-1/4)(-2 x))."""
    network = Small()
    images = torch.cat([IMAGE, IMAGE])
    found = attribute_by_grad_cam(shown(network, images, [0, 1]), record_layers(network, images))
    assert found.layer == "convolution"
    np.testing.assert_allclose(found.trained[0], 1.25 * np.array([[1, 2], [0, 0]]))
    # The gradients of the other class have the opposite sign.
    np.testing.assert_allclose(found.trained[1], 1.25 * np.array([[0, 0], [1, 0]]))


def test_grad_cam_is_not_affected_by_a_relu_in_place() -> None:
    """relu: only the gradients of positive features count, 1 and 2 for the first, 1 for the second.

    Weights 3/4 2/4 and -1/4 1/4; features 1, 2, -1, 0 and -2, -4, 2, 0 before the ReLU.
    """
    network = Small(inplace=True)
    found = attribute_by_grad_cam(shown(network, IMAGE, [0]), record_layers(network, IMAGE))
    features = np.array([[1.0, 2.0], [-1.0, 0.0]])
    expected = np.maximum(3 / 4 * 2 / 4 * features - 1 / 4 * 1 / 4 * (-2 * features), 0)
    np.testing.assert_allclose(found.trained[0], expected)


def test_grad_cam_needs_a_convolution() -> None:
    network, values = MLP((1, 2, 2), 2), IMAGE.clone()
    with pytest.raises(NotApplicable, match="no convolution"):
        attribute_by_grad_cam(shown(network, values, [0]), record_layers(network, values))


def test_integrated_gradients_sum_to_the_difference_of_the_logits() -> None:
    torch.manual_seed(0)
    network = CNN((3, 13, 17), 4).eval()
    values = torch.rand(2, 3, 13, 17)
    found = attribute_by_integrated_gradients(shown(network, values, [1, 3]))
    with torch.no_grad():
        difference = network(values) - network(torch.zeros_like(values))
    expected = [float(difference[0, 1]), float(difference[1, 3])]
    assert found.trained.shape == (2, 13, 17)
    assert found.trained.sum(axis=(1, 2)) == pytest.approx(expected, rel=0.05, abs=2e-3)


def test_occlusion_is_the_fall_of_the_probability() -> None:
    """Compared with images in which each square is set to black by hand; the last are cut off."""
    torch.manual_seed(0)
    network = CNN((3, 13, 17), 4).eval()
    values = torch.rand(2, 3, 13, 17)
    found = attribute_by_occlusion(shown(network, values, [1, 3]))
    assert found.trained.shape == (2, 7, 9)
    with torch.no_grad():
        before = network(values).softmax(1)
        for row, column in [(0, 0), (3, 8), (6, 2), (6, 8)]:
            occluded = values.clone()
            occluded[:, :, 2 * row : 2 * row + 2, 2 * column : 2 * column + 2] = 0
            fall = (before - network(occluded).softmax(1)).numpy()
            expected = [fall[0, 1], fall[1, 3]]
            assert found.trained[:, row, column] == pytest.approx(expected, abs=1e-6)


def test_equal_control_has_similarity_one() -> None:
    network = CNN((1, 8, 8), 2).eval()
    found = attribute_by_integrated_gradients(shown(network, torch.rand(1, 1, 8, 8), [0]))
    assert found.similarity == pytest.approx([1.0])


def test_constant_map_has_no_similarity() -> None:
    assert rank_correlation(np.zeros((2, 2)), np.eye(2)) is None
    assert rank_correlation(np.eye(2), -np.eye(2)) == pytest.approx(-1)


def test_gradients_leave_the_network_unchanged() -> None:
    network = Small()
    attribute_by_integrated_gradients(shown(network, IMAGE.clone(), [0]))
    assert all(weights.grad is None for weights in network.parameters())

"""Measured receptive fields agree with the arithmetic of the layers."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from csvision.config.model_schema import Normalization, Pool, Stage
from csvision.inspection.receptive_field import measure_receptive_fields
from csvision.layer_shapes import output_size, resolve_padding
from csvision.models.cnn import CNN

Interval = tuple[int, int]


def expected_field(size: int, stages: list[Stage]) -> Interval:
    """First and last pixel along an axis of `size` for the middle value after all stages.

    Layer by layer from the output: a value at i depends on the inputs from i stride - padding to
    i stride - padding + dilation (kernel_size - 1), without those outside.
    """
    layers = []
    for stage in stages:
        before, after = resolve_padding(stage.padding, stage.kernel_size, stage.dilation)
        layers.append((size, stage.kernel_size, stage.stride, before, stage.dilation))
        size = output_size(size, stage.kernel_size, stage.stride, (before, after), stage.dilation)
        if stage.pool is not Pool.none:
            layers.append((size, stage.pool_size, stage.pool_size, 0, 1))
            size = output_size(size, stage.pool_size, stage.pool_size)
    low = high = size // 2
    for inputs, kernel, stride, padding, dilation in reversed(layers):
        low = max(0, low * stride - padding)
        high = min(inputs - 1, high * stride - padding + dilation * (kernel - 1))
    return low, high


STAGES = st.lists(
    st.builds(
        Stage,
        filters=st.just(2),
        kernel_size=st.integers(1, 4),
        stride=st.integers(1, 2),
        padding=st.sampled_from([0, 1, "valid"]),
        pool=st.sampled_from([Pool.max, Pool.avg, Pool.min, Pool.none]),
        normalization=st.sampled_from(["none", "batch"]),
        activation=st.sampled_from(["relu", "tanh", "gelu"]),
    ),
    min_size=1,
    max_size=2,
)


@pytest.mark.slow
@settings(max_examples=20, deadline=None)
@given(STAGES, st.integers(60, 68), st.integers(60, 68))
def test_fields_of_cnns_are_those_of_the_arithmetic(
    stages: list[Stage], height: int, width: int
) -> None:
    shape = (3, height, width)
    fields = measure_receptive_fields(CNN(shape, 2, stages), shape)
    for count in range(1, len(stages) + 1):
        # The pooling of a stage without one is the identity.
        found = fields[f"stages.{count - 1}.pool"]
        assert (found.top, found.bottom) == expected_field(height, stages[:count])
        assert (found.left, found.right) == expected_field(width, stages[:count])


def test_default_cnn_by_hand() -> None:
    """3x3, then pooling by 2, twice: 3, 4, 8, 10 pixels."""
    fields = measure_receptive_fields(CNN((1, 28, 28), 10), (1, 28, 28))
    sizes = {name: (field.height, field.width) for name, field in fields.items()}
    assert sizes["stages.0.convolution"] == (3, 3)
    assert sizes["stages.0.pool"] == (4, 4)
    assert sizes["stages.1.convolution"] == (8, 8)
    assert sizes["stages.1.pool"] == (10, 10)
    assert "logits" not in fields


def test_instance_normalization_depends_on_the_whole_image() -> None:
    stages = [Stage(filters=2, normalization=Normalization.instance)]
    fields = measure_receptive_fields(CNN((1, 9, 11), 2, stages), (1, 9, 11))
    normalized = fields["stages.0.normalization"]
    assert (normalized.height, normalized.width) == (9, 11)
    assert fields["stages.0.convolution"].height == 3


class Functional(nn.Module):
    """A network with a branch and functions instead of modules."""

    def __init__(self) -> None:
        super().__init__()
        self.one, self.two = nn.Conv2d(1, 2, 3, padding=1), nn.Conv2d(2, 2, 5, padding=2)

    def forward(self, images: Tensor) -> Tensor:
        features = torch.relu_(self.one(images))
        output: Tensor = self.two(features) + features
        return output.mean((2, 3))


def test_functions_and_branches_are_measured_too() -> None:
    network = Functional()
    fields = measure_receptive_fields(network, (1, 15, 15))
    assert {name: field.height for name, field in fields.items()} == {"one": 3, "two": 7}


def test_settings_of_torch_are_restored() -> None:
    before = torch.backends.mkldnn.enabled
    measure_receptive_fields(Functional(), (1, 5, 5))
    assert torch.backends.mkldnn.enabled == before

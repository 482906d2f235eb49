"""The convolutional network: each setting of a stage against torch's functions."""

from typing import Any

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from csvision.config.model_schema import Activation, Normalization, PaddingMode, Pool, Stage
from csvision.errors import ConfigError
from csvision.models.cnn import CNN
from csvision.models.layers import Dropout

MODES = {
    PaddingMode.zeros: "constant",
    PaddingMode.reflect: "reflect",
    PaddingMode.replicate: "replicate",
    PaddingMode.circular: "circular",
}
"""The names of padding modes in torch.nn.functional.pad."""


def convolution_only(
    stage: Stage, image_shape: tuple[int, int, int]
) -> tuple[nn.Module, nn.Conv2d]:
    """Return a stage with nothing after its convolution, and the convolution."""
    stage.activation, stage.pool = Activation.none, Pool.none
    network = CNN(image_shape, 2, [stage], hidden=())
    convolution = network.get_submodule("stages.0.convolution")
    assert isinstance(convolution, nn.Conv2d)
    return network.get_submodule("stages.0"), convolution


@pytest.mark.parametrize("image_shape", [(1, 28, 28), (3, 28, 28), (1, 5, 9)])
def test_output_is_one_logit_per_class(image_shape: tuple[int, int, int]) -> None:
    assert CNN(image_shape, 10)(torch.zeros(2, *image_shape)).shape == (2, 10)


def test_layers_of_a_stage_run_in_the_documented_order() -> None:
    stage = Stage(
        kernel_size=2,
        padding="same",
        normalization=Normalization.batch,
        pool=Pool.avg,
        residual=1,
        dropout=0.25,
    )
    names = [name for name, _ in CNN((1, 8, 8), 2, [stage]).stages[0].named_children()]
    assert names == [
        "padding",
        "convolution",
        "normalization",
        "activation",
        "pool",
        "residual",
        "dropout",
    ]


def test_without_hidden_layers_logits_follow_the_flattened_features() -> None:
    network = CNN((1, 4, 4), 3, [Stage(filters=2)], hidden=())
    images = torch.randn(5, 1, 4, 4)
    features = network.stages(images)
    assert features.shape == (5, 2, 2, 2)
    assert torch.equal(network(images), network.logits(features.reshape(5, 8)))


def test_without_stages_the_image_is_classified_directly() -> None:
    network = CNN((1, 2, 3), 4, [], hidden=())
    images = torch.randn(5, 1, 2, 3)
    assert torch.equal(network(images), network.logits(images.reshape(5, 6)))


@pytest.mark.parametrize(
    ("global_pool", "expected"),
    [
        ("none", [[1.0, 2.0, 3.0, 6.0, -1.0, -2.0, -3.0, -6.0]]),
        ("avg", [[3.0, -3.0]]),
        ("max", [[6.0, -1.0]]),
    ],
)
def test_global_pool_turns_features_into_a_vector(
    global_pool: str, expected: list[list[float]]
) -> None:
    network = CNN((2, 2, 2), 2, [], global_pool)
    features = torch.tensor([[[[1.0, 2.0], [3.0, 6.0]], [[-1.0, -2.0], [-3.0, -6.0]]]])
    assert network.global_pool(features).tolist() == expected


def test_relu_runs_before_pooling_and_after_dense_layers() -> None:
    stage = Stage(filters=1, kernel_size=1, padding=0, pool=Pool.min)
    network = CNN((1, 2, 2), 2, [stage], hidden=(1,))
    for name, value in {"stages.0.convolution": 1.0, "dense.0.linear": -1.0}.items():
        module = network.get_submodule(name)
        assert isinstance(module, nn.Conv2d | nn.Linear)
        assert module.bias is not None
        nn.init.constant_(module.weight, value)
        nn.init.zeros_(module.bias)
    image = torch.tensor([[[[-4.0, 5.0], [6.0, 7.0]]]])
    # The minimum is -4, but relu has set it to 0 before the pooling.
    assert network.stages(image).item() == 0.0
    assert network.dense(torch.tensor([[3.0]])).item() == 0.0


def test_relu_after_max_pooling_has_the_outputs_and_gradients_of_relu_before_it() -> None:
    stage = Stage(filters=1, kernel_size=1, padding=0, pool_size=3, pool_stride=2)
    layers = CNN((1, 9, 9), 2, [stage]).stages[0]
    assert [name for name, _ in layers.named_children()] == ["convolution", "pool", "activation"]
    pool, activation = layers.get_submodule("pool"), layers.get_submodule("activation")
    # Few different values, so that windows have several equal maxima, and maxima of zero or below.
    maps = torch.randint(-3, 3, (50, 1, 9, 9), generator=torch.manual_seed(0)).double()
    weights = torch.randn(50, 1, 4, 4, dtype=torch.float64)
    results = []
    for first, second in ((pool, activation), (activation, pool)):
        inputs = maps.clone().requires_grad_()
        outputs = second(first(inputs))
        (outputs * weights).sum().backward()
        assert inputs.grad is not None
        results.append((outputs, inputs.grad))
    assert torch.equal(results[0][0], results[1][0])
    assert torch.equal(results[0][1], results[1][1])
    assert results[0][1].count_nonzero() > 100


def test_feature_maps_are_in_channels_last_with_the_values_of_the_other_layout() -> None:
    network = CNN((1, 8, 8), 2, [Stage(filters=4), Stage(filters=8, residual=1)]).double()
    images = torch.randn(3, 1, 8, 8, dtype=torch.float64)
    features = network.stages(images)
    assert features.is_contiguous(memory_format=torch.channels_last)
    logits = network(images)
    network.to(memory_format=torch.contiguous_format)  # type: ignore[call-overload]
    assert network.stages(images).is_contiguous()
    torch.testing.assert_close(network(images), logits)


def test_mask_of_dropout_does_not_depend_on_the_layout() -> None:
    dropout, maps = Dropout(0.3), torch.randn(4, 3, 5, 6)
    results = []
    for layout in (torch.contiguous_format, torch.channels_last):
        torch.manual_seed(0)
        results.append(dropout(maps.contiguous(memory_format=layout)))
    torch.manual_seed(0)
    assert torch.equal(results[0], F.dropout(maps, 0.3))
    assert torch.equal(results[0], results[1])
    assert results[1].is_contiguous(memory_format=torch.channels_last)
    assert torch.equal(dropout.eval()(maps), maps)


def test_pool_stride_defaults_to_pool_size() -> None:
    image = torch.arange(5.0).expand(1, 1, 5, 5)
    for stride, expected in {None: [2.0], 1: [2.0, 3.0, 4.0], 2: [2.0, 4.0]}.items():
        stage = Stage(filters=1, pool_size=3, pool_stride=stride)
        pool = CNN((1, 5, 5), 2, [stage]).get_submodule("stages.0.pool")
        assert pool(image)[0, 0, 0].tolist() == expected


@pytest.mark.parametrize("mode", PaddingMode)
@pytest.mark.parametrize("kernel_size", [2, 3, 4])
@pytest.mark.parametrize("dilation", [1, 3])
def test_same_padding_keeps_the_size_in_every_mode(
    mode: PaddingMode, kernel_size: int, dilation: int
) -> None:
    stage = Stage(3, kernel_size, padding="same", padding_mode=mode, dilation=dilation)
    layers, convolution = convolution_only(stage, (2, 10, 11))
    images = torch.randn(2, 2, 10, 11)
    total = dilation * (kernel_size - 1)
    before, after = total // 2, total - total // 2
    padded = F.pad(images, (before, after, before, after), MODES[mode])
    expected = F.conv2d(padded, convolution.weight, convolution.bias, dilation=dilation)
    assert expected.shape == (2, 3, 10, 11)
    torch.testing.assert_close(layers(images), expected)


@given(
    kernel_size=st.integers(1, 6),
    dilation=st.integers(1, 3),
    sizes=st.tuples(st.integers(1, 7), st.integers(1, 7)),
)
@settings(max_examples=40, deadline=None)
# torch warns that asymmetric `same` padding makes a copy.
@pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel:UserWarning")
def test_same_padding_with_zeros_equals_same_of_torch(
    kernel_size: int, dilation: int, sizes: tuple[int, int]
) -> None:
    stage = Stage(2, kernel_size, padding="same", dilation=dilation)
    layers, convolution = convolution_only(stage, (1, *sizes))
    images = torch.randn(2, 1, *sizes)
    expected = F.conv2d(
        images, convolution.weight, convolution.bias, padding="same", dilation=dilation
    )
    torch.testing.assert_close(layers(images), expected)


@pytest.mark.parametrize(
    ("stage", "padding"),
    [
        (Stage(2, 3, padding="valid"), 0),
        (Stage(2, 3, padding="full"), 2),
        (Stage(2, 3, padding=3), 3),
        (Stage(2, 4, stride=2, padding=1), 1),
        (Stage(2, 2, stride=3, padding="full", dilation=2), 2),
    ],
)
def test_symmetric_padding_and_stride_equal_those_of_torch(stage: Stage, padding: int) -> None:
    layers, convolution = convolution_only(stage, (2, 9, 8))
    images = torch.randn(2, 2, 9, 8)
    expected = F.conv2d(
        images, convolution.weight, convolution.bias, stage.stride, padding, stage.dilation
    )
    torch.testing.assert_close(layers(images), expected)


@pytest.mark.parametrize(
    ("normalization", "kind"),
    [("batch", nn.BatchNorm2d), ("instance", nn.InstanceNorm2d), ("layer", nn.GroupNorm)],
)
def test_normalization_of_a_stage_follows_its_convolution(
    normalization: str, kind: type[nn.Module]
) -> None:
    stage = Stage(3, normalization=Normalization(normalization))
    module = CNN((1, 6, 6), 2, [stage]).get_submodule("stages.0.normalization")
    assert isinstance(module, kind)


def test_dropout_layers_exist_only_where_configured() -> None:
    network = CNN((1, 8, 8), 2, [Stage(), Stage(dropout=0.25)], hidden=(4,), dropout=0.5)
    dropouts = {
        name: module.p for name, module in network.named_modules() if isinstance(module, nn.Dropout)
    }
    assert dropouts == {"stages.1.dropout": 0.25, "dense.0.dropout": 0.5}
    without = CNN((1, 8, 8), 2)
    assert not any(isinstance(module, nn.Dropout) for module in without.modules())


def test_stage_that_does_not_fit_is_rejected_with_its_input_size() -> None:
    with pytest.raises(ConfigError, match=r"model\.stages\.1\.convolution: .* 1x2 input"):
        CNN((1, 3, 4), 2, [Stage(), Stage(kernel_size=5)])


@pytest.mark.parametrize(("argument", "value"), [("global_pool", "flat"), ("activation", "rellu")])
def test_unknown_name_is_rejected(argument: str, value: str) -> None:
    arguments: dict[str, Any] = {argument: value}
    with pytest.raises(ValueError, match=f"'{value}' is not a valid"):
        CNN((1, 8, 8), 2, **arguments)

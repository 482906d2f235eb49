"""The convolutional network: what each word of a stage does, against torch's own functions."""

from collections.abc import Callable

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from csvision.errors import ConfigError
from csvision.models.cnn import CNN
from csvision.models.layers import MinPool2d, activation_layer, padding_layer, pooling_layer
from csvision.schema import Activation, Normalization, PaddingMode, Pool, Stage

MODES = {
    PaddingMode.zeros: "constant",
    PaddingMode.reflect: "reflect",
    PaddingMode.replicate: "replicate",
    PaddingMode.circular: "circular",
}
"""csvision's words and those of torch.nn.functional.pad."""


def only_convolution(
    stage: Stage, image_shape: tuple[int, int, int]
) -> tuple[nn.Module, nn.Conv2d]:
    """One stage with nothing after its convolution, and the convolution."""
    stage.activation, stage.pool = Activation.none, Pool.none
    network = CNN(image_shape, 2, [stage], hidden=())
    convolution = network.get_submodule("stages.0.convolution")
    assert isinstance(convolution, nn.Conv2d)
    return network.get_submodule("stages.0"), convolution


@pytest.mark.parametrize("image_shape", [(1, 28, 28), (3, 28, 28), (1, 5, 9)])
def test_images_give_logits(image_shape: tuple[int, int, int]) -> None:
    assert CNN(image_shape, 10)(torch.zeros(2, *image_shape)).shape == (2, 10)


def test_parts_of_a_stage_run_in_the_documented_order() -> None:
    stage = Stage(kernel_size=2, padding="same", normalization=Normalization.batch, dropout=0.25)
    names = [name for name, _ in CNN((1, 8, 8), 2, [stage]).stages[0].named_children()]
    assert names == ["padding", "convolution", "normalization", "activation", "pool", "dropout"]


def test_without_hidden_layers_the_logits_follow_the_head() -> None:
    network = CNN((1, 4, 4), 3, [Stage(filters=2)], hidden=())
    images = torch.randn(5, 1, 4, 4)
    maps = network.stages(images)
    assert maps.shape == (5, 2, 2, 2)
    assert torch.equal(network(images), network.logits(maps.reshape(5, 8)))


def test_without_stages_the_image_itself_is_classified() -> None:
    network = CNN((1, 2, 3), 4, [], hidden=())
    images = torch.randn(5, 1, 2, 3)
    assert torch.equal(network(images), network.logits(images.reshape(5, 6)))


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        ("flatten", [[1.0, 2.0, 3.0, 6.0, -1.0, -2.0, -3.0, -6.0]]),
        ("global_average", [[3.0, -3.0]]),
        ("global_max", [[6.0, -1.0]]),
    ],
)
def test_head_makes_a_vector_of_the_maps(head: str, expected: list[list[float]]) -> None:
    network = CNN((2, 2, 2), 2, [], head)
    maps = torch.tensor([[[[1.0, 2.0], [3.0, 6.0]], [[-1.0, -2.0], [-3.0, -6.0]]]])
    assert network.head(maps).tolist() == expected


@pytest.mark.parametrize(
    ("word", "function"),
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
def test_activation_is_torchs_of_that_name(word: str, function: Callable[[Tensor], Tensor]) -> None:
    values = torch.linspace(-3, 3, 13)
    assert torch.equal(activation_layer(Activation(word))(values), function(values))


def test_relu_goes_before_pooling_and_dense_layers() -> None:
    stage = Stage(filters=1, kernel_size=1, padding=0, pool=Pool.min)
    network = CNN((1, 2, 2), 2, [stage], hidden=(1,))
    for name, value in {"stages.0.convolution": 1.0, "dense.0.linear": -1.0}.items():
        module = network.get_submodule(name)
        assert isinstance(module, nn.Conv2d | nn.Linear)
        assert module.bias is not None
        nn.init.constant_(module.weight, value)
        nn.init.zeros_(module.bias)
    image = torch.tensor([[[[-4.0, 5.0], [6.0, 7.0]]]])
    # The smallest value is -4, but relu has made it 0 before min sees it.
    assert network.stages(image).item() == 0.0
    assert network.dense(torch.tensor([[3.0]])).item() == 0.0


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


def test_pooling_steps_by_its_size_unless_a_stride_is_given() -> None:
    image = torch.arange(5.0).expand(1, 1, 5, 5)
    for stride, expected in {None: [2.0], 1: [2.0, 3.0, 4.0], 2: [2.0, 4.0]}.items():
        stage = Stage(filters=1, pool_size=3, pool_stride=stride)
        pool = CNN((1, 5, 5), 2, [stage]).get_submodule("stages.0.pool")
        assert pool(image)[0, 0, 0].tolist() == expected


@given(
    sizes=st.tuples(st.integers(3, 6), st.integers(3, 6)),
    window=st.integers(1, 3),
    stride=st.integers(1, 3),
)
@settings(max_examples=30, deadline=None)
def test_min_pooling_is_max_pooling_upside_down(
    sizes: tuple[int, int], window: int, stride: int
) -> None:
    maps = torch.randn(2, 3, *sizes, requires_grad=True)
    smallest = MinPool2d(window, stride)(maps)
    expected = -F.max_pool2d(-maps, window, stride)
    assert torch.equal(smallest, expected)
    (gradient,) = torch.autograd.grad(smallest.sum(), maps, retain_graph=True)
    assert torch.equal(gradient, torch.autograd.grad(expected.sum(), maps)[0])


@pytest.mark.parametrize(
    ("mode", "expected"),
    [
        ("zeros", [0, 1, 2, 3, 0, 0]),
        ("reflect", [2, 1, 2, 3, 2, 1]),
        ("replicate", [1, 1, 2, 3, 3, 3]),
        ("circular", [3, 1, 2, 3, 1, 2]),
    ],
)
def test_uneven_padding_by_hand(mode: str, expected: list[int]) -> None:
    image = torch.tensor([[[[1.0, 2.0, 3.0], [4.0, 5.0, 6.0], [7.0, 8.0, 9.0]]]])
    padded = padding_layer(PaddingMode(mode), (1, 2))(image)[0, 0]
    assert padded.shape == (6, 6)
    assert padded[1].tolist() == expected
    # The image is 1 to the right and 3 downwards: columns are padded as rows are.
    columns = [1 + 3 * (value - 1) if value else 0 for value in expected]
    assert padded[:, 1].tolist() == columns


@pytest.mark.parametrize("mode", PaddingMode)
@pytest.mark.parametrize("kernel_size", [2, 3, 4])
@pytest.mark.parametrize("dilation", [1, 3])
def test_same_padding_in_every_mode_is_torchs(
    mode: PaddingMode, kernel_size: int, dilation: int
) -> None:
    stage = Stage(3, kernel_size, padding="same", padding_mode=mode, dilation=dilation)
    layers, convolution = only_convolution(stage, (2, 10, 11))
    images = torch.randn(2, 2, 10, 11)
    reach = dilation * (kernel_size - 1)
    before, after = reach // 2, reach - reach // 2
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
# torch says that an uneven `same` costs it a copy.
@pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel:UserWarning")
def test_same_padding_with_zeros_is_torchs_own_same(
    kernel_size: int, dilation: int, sizes: tuple[int, int]
) -> None:
    stage = Stage(2, kernel_size, padding="same", dilation=dilation)
    layers, convolution = only_convolution(stage, (1, *sizes))
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
def test_even_padding_and_stride_are_torchs(stage: Stage, padding: int) -> None:
    layers, convolution = only_convolution(stage, (2, 9, 8))
    images = torch.randn(2, 2, 9, 8)
    expected = F.conv2d(
        images, convolution.weight, convolution.bias, stage.stride, padding, stage.dilation
    )
    torch.testing.assert_close(layers(images), expected)


@pytest.mark.parametrize(
    ("normalization", "axes"), [("batch", (0, 2, 3)), ("instance", (2, 3)), ("layer", (1, 2, 3))]
)
def test_normalization_goes_over_its_axes(normalization: str, axes: tuple[int, ...]) -> None:
    stage = Stage(3, normalization=Normalization(normalization))
    module = CNN((1, 6, 6), 2, [stage]).get_submodule("stages.0.normalization")
    maps = 5 + 3 * torch.randn(4, 3, 6, 6)
    mean, variance = maps.mean(axes, keepdim=True), maps.var(axes, unbiased=False, keepdim=True)
    torch.testing.assert_close(module(maps), (maps - mean) / (variance + 1e-5).sqrt())


def test_dropout_is_there_only_when_asked_for() -> None:
    network = CNN((1, 8, 8), 2, [Stage(), Stage(dropout=0.25)], hidden=(4,), dropout=0.5)
    dropouts = {
        name: module.p for name, module in network.named_modules() if isinstance(module, nn.Dropout)
    }
    assert dropouts == {"stages.1.dropout": 0.25, "dense.0.dropout": 0.5}
    without = CNN((1, 8, 8), 2)
    assert not any(isinstance(module, nn.Dropout) for module in without.modules())


def test_stage_that_leaves_nothing_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"model\.stages\.1\.convolution: .* its 1x2 input"):
        CNN((1, 3, 4), 2, [Stage(), Stage(kernel_size=5)])


@pytest.mark.parametrize(("argument", "value"), [("head", "flat"), ("activation", "rellu")])
def test_unknown_word_is_refused(argument: str, value: str) -> None:
    with pytest.raises(ValueError, match=f"'{value}' is not a valid"):
        CNN((1, 8, 8), 2, **{argument: value})  # type: ignore[arg-type]

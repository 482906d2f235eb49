"""Geometry by hand, and against torch for any stages, layer by layer."""

from collections.abc import Iterator
from contextlib import contextmanager
from math import prod

import pytest
import torch
import torch.nn.functional as F
from hypothesis import event, example, given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from csvision import config, schema
from csvision.errors import ConfigError
from csvision.geometry import Layer, Shape, layer_table, output_size, padding_amounts
from csvision.models.cnn import CNN
from csvision.models.mlp import MLP
from csvision.schema import Head, Normalization, PaddingMode, Pool, Stage

CLASSES = 3
Sizes = tuple[Shape, Shape]
"""Input and output of a module, without the axis of images."""


@pytest.mark.parametrize(
    ("size", "kernel_size", "stride", "padding", "dilation", "expected"),
    [
        (28, 3, 1, "valid", 1, 26),
        (28, 3, 1, "same", 1, 28),
        (28, 3, 1, "full", 1, 30),
        (28, 3, 1, 1, 1, 28),
        (28, 5, 1, 1, 1, 26),
        (28, 3, 2, 1, 1, 14),
        (7, 3, 2, "valid", 1, 3),
        (8, 3, 2, "valid", 1, 3),
        (28, 3, 1, "valid", 2, 24),
        (28, 3, 1, "same", 2, 28),
        (28, 3, 1, "full", 2, 32),
        (28, 2, 1, "valid", 1, 27),
        (28, 2, 1, "same", 1, 28),
        (28, 4, 1, "same", 3, 28),
        (28, 2, 1, "full", 1, 29),
        (5, 5, 1, "valid", 1, 1),
        (1, 1, 1, "valid", 1, 1),
        (1, 3, 1, "full", 1, 3),
    ],
)
def test_convolution_has_the_size_worked_by_hand(
    size: int, kernel_size: int, stride: int, padding: int | str, dilation: int, expected: int
) -> None:
    amounts = padding_amounts(padding, kernel_size, dilation)
    assert output_size(size, kernel_size, stride, amounts, dilation) == expected


@pytest.mark.parametrize(
    ("size", "window", "stride", "expected"),
    [(28, 2, 2, 14), (7, 2, 2, 3), (7, 3, 1, 5), (7, 3, 2, 3), (8, 3, 2, 3), (3, 3, 3, 1)],
)
def test_pooling_has_the_size_worked_by_hand(
    size: int, window: int, stride: int, expected: int
) -> None:
    assert output_size(size, window, stride) == expected


@pytest.mark.parametrize(
    ("size", "window", "stride"), [(2, 3, 1), (2, 3, 2), (1, 3, 2), (1, 9, 5), (1, 9, 8)]
)
def test_window_larger_than_the_maps_fits_nowhere(size: int, window: int, stride: int) -> None:
    assert output_size(size, window, stride) < 1


@given(
    size=st.integers(1, 12),
    kernel_size=st.integers(1, 5),
    stride=st.integers(1, 4),
    padding=st.tuples(st.integers(0, 3), st.integers(0, 3)),
    dilation=st.integers(1, 3),
)
def test_output_size_counts_the_positions(
    size: int, kernel_size: int, stride: int, padding: tuple[int, int], dilation: int
) -> None:
    cells = range(size + sum(padding))
    taps = [dilation * index for index in range(kernel_size)]
    positions = [cell for cell in cells[::stride] if cell + taps[-1] in cells]
    assert max(0, output_size(size, kernel_size, stride, padding, dilation)) == len(positions)


@pytest.mark.parametrize(
    ("padding", "kernel_size", "dilation", "expected"),
    [
        (5, 3, 1, (5, 5)),
        (0, 3, 1, (0, 0)),
        ("valid", 3, 1, (0, 0)),
        ("same", 3, 1, (1, 1)),
        ("same", 1, 1, (0, 0)),
        ("same", 2, 1, (0, 1)),
        ("same", 4, 1, (1, 2)),
        ("same", 3, 2, (2, 2)),
        ("same", 2, 3, (1, 2)),
        ("full", 3, 1, (2, 2)),
        ("full", 2, 3, (3, 3)),
    ],
)
def test_padding_by_hand(
    padding: int | str, kernel_size: int, dilation: int, expected: tuple[int, int]
) -> None:
    assert padding_amounts(padding, kernel_size, dilation) == expected


@pytest.mark.parametrize("padding", ["sam", "1", "", -1])
def test_padding_that_is_none_is_refused(padding: int | str) -> None:
    with pytest.raises(ValueError, match=f"padding={padding} must be valid, same, full or"):
        padding_amounts(padding, 3)


def configured(choice: str) -> schema.Model:
    """The model of conf/model/CHOICE.yaml."""
    settings: schema.Train = config.load(config.compose("train", [f"model={choice}"]))
    return settings.model


def table(model: schema.Model, image_shape: Shape, classes: int) -> list[Layer]:
    layers = layer_table(model, image_shape, classes)
    assert layers is not None
    return layers


def test_layer_table_of_the_default_cnn_by_hand() -> None:
    assert table(configured("cnn"), (1, 28, 28), 10) == [
        Layer("stages.0.convolution", 320, 225_792, (1, 28, 28), (32, 28, 28)),
        Layer("stages.0.pool", 0, 0, (32, 28, 28), (32, 14, 14)),
        Layer("stages.1.convolution", 18_496, 3_612_672, (32, 14, 14), (64, 14, 14)),
        Layer("stages.1.pool", 0, 0, (64, 14, 14), (64, 7, 7)),
        Layer("head", 0, 0, (64, 7, 7), (3_136,)),
        Layer("dense.0", 200_768, 200_704, (3_136,), (64,)),
        Layer("logits", 650, 640, (64,), (10,)),
    ]


@pytest.mark.parametrize(
    ("choice", "image_shape", "parameters", "multiply_adds"),
    [
        ("mlp", (1, 28, 28), 109_386, 109_184),
        ("cnn", (1, 28, 28), 220_234, 4_039_808),
        # Two more channels: 2 * 9 weights for each of 32 filters, at 784 positions.
        ("cnn", (3, 28, 28), 220_810, 4_491_392),
    ],
)
def test_default_networks_cost_what_is_known(
    choice: str, image_shape: Shape, parameters: int, multiply_adds: int
) -> None:
    layers = table(configured(choice), image_shape, 10)
    assert sum(layer.parameters for layer in layers) == parameters
    assert sum(layer.multiply_adds for layer in layers) == multiply_adds


def test_own_network_has_no_table_by_arithmetic() -> None:
    own = schema.Custom(name=schema.ModelName.custom, path="my_net.py:MyNet", arguments={})
    assert layer_table(own, (1, 28, 28), 10) is None


def cnn_of(*stages: Stage) -> schema.CNN:
    return schema.CNN(
        name=schema.ModelName.cnn,
        stages=list(stages),
        head=Head.flatten,
        hidden=[],
        activation=schema.Activation.relu,
        dropout=0.0,
    )


@pytest.mark.parametrize(
    ("stages", "message"),
    [
        (
            [Stage(), Stage(kernel_size=6)],
            r"model\.stages\.1\.convolution: kernel_size=6, padding=1, dilation=1 leaves nothing "
            r"of its 4x3 input",
        ),
        (
            [Stage(pool_size=9, padding="valid")],
            r"model\.stages\.0\.pool: pool_size=9 leaves nothing of its 6x4 input",
        ),
        (
            [Stage(padding=6, padding_mode=PaddingMode.reflect)],
            r"model\.stages\.0\.convolution: padding_mode=reflect cannot add 6 pixels to its 8x6 "
            r"input; use at most 5",
        ),
        (
            [Stage(padding=7, padding_mode=PaddingMode.circular)],
            r"model\.stages\.0\.convolution: padding_mode=circular cannot add 7 pixels to its 8x6 "
            r"input; use at most 6",
        ),
        # An uneven padding goes by its larger side: 5 before and 6 after.
        (
            [Stage(kernel_size=12, padding="same", padding_mode=PaddingMode.reflect)],
            r"model\.stages\.0\.convolution: padding_mode=reflect cannot add 6 pixels to its 8x6 "
            r"input; use at most 5",
        ),
        (
            [Stage(pool_size=6), Stage(normalization=Normalization.instance)],
            r"model\.stages\.1\.normalization=instance has a single value to go by in its 1x1",
        ),
        (
            [Stage(pool_size=6), Stage(filters=1, normalization=Normalization.layer)],
            r"model\.stages\.1\.normalization=layer has a single value to go by in its 1x1",
        ),
    ],
)
def test_refusal_names_stage_and_sizes(stages: list[Stage], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        layer_table(cnn_of(*stages), (1, 8, 6), CLASSES)


@pytest.mark.parametrize(
    "stage",
    [
        Stage(padding=5, padding_mode=PaddingMode.reflect),
        Stage(padding=6, padding_mode=PaddingMode.circular),
        Stage(padding=99, padding_mode=PaddingMode.replicate),
        Stage(padding=99, padding_mode=PaddingMode.zeros),
        Stage(kernel_size=6, padding="valid", pool=Pool.none),
    ],
)
def test_largest_that_fits_is_accepted(stage: Stage) -> None:
    table = layer_table(cnn_of(stage), (1, 8, 6), CLASSES)
    assert table is not None
    assert table[-1].output_shape == (CLASSES,)


@contextmanager
def sizes_recorded(network: nn.Module) -> Iterator[dict[str, Sizes]]:
    """What goes into each module and out of it, by the module's name."""
    recorded: dict[str, Sizes] = {}

    def hook(name: str, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        recorded[name] = tuple(inputs[0].shape[1:]), tuple(output.shape[1:])

    handles = [
        module.register_forward_hook(
            lambda _, inputs, output, name=name: hook(name, inputs, output)
        )
        for name, module in network.named_modules()
    ]
    yield recorded
    for handle in handles:
        handle.remove()


def measured(network: nn.Module, image_shape: Shape, names: list[str]) -> list[Layer]:
    """The rows of a layer table under these modules' names, as torch sees them."""
    network.eval()
    counter = FlopCounterMode(display=False)
    with sizes_recorded(network) as sizes, counter, torch.no_grad():
        network(torch.zeros(1, *image_shape))
    counts = counter.get_flop_counts()
    rows = []
    for name in names:
        operations = sum(counts.get(f"{type(network).__name__}.{name}", {}).values())
        # Where the padding is a module of its own, the convolution begins with it.
        begins = sizes.get(name.replace("convolution", "padding"), sizes[name])[0]
        parameters = sum(weights.numel() for weights in network.get_submodule(name).parameters())
        rows.append(Layer(name, parameters, operations // 2, begins, sizes[name][1]))
    return rows


def assert_table_is_the_network(
    layers: list[Layer], network: nn.Module, image_shape: Shape
) -> None:
    assert layers == measured(network, image_shape, [layer.name for layer in layers])
    everything = sum(weights.numel() for weights in network.parameters())
    assert sum(layer.parameters for layer in layers) == everything
    counter = FlopCounterMode(display=False)
    with counter, torch.no_grad():
        network(torch.zeros(1, *image_shape))
    assert sum(layer.multiply_adds for layer in layers) == counter.get_total_flops() // 2


def assert_trains(network: nn.Module, image_shape: Shape) -> None:
    """Two images forward and backward: every weight has its part in the gradient."""
    network.train()
    logits = network(torch.randn(2, *image_shape))
    assert logits.shape == (2, CLASSES)
    logits.sum().backward()
    assert all(weights.grad is not None for weights in network.parameters())


def run_plainly(model: schema.CNN, images: Tensor) -> None:
    """The stages in nothing but torch's functions, which refuse on their own account."""
    for stage in model.stages:
        reach = stage.dilation * (stage.kernel_size - 1)
        words = {"valid": (0, 0), "same": (reach // 2, -(-reach // 2)), "full": (reach, reach)}
        before, after = (
            words[stage.padding]
            if isinstance(stage.padding, str)
            else (stage.padding, stage.padding)
        )
        mode = "constant" if stage.padding_mode is PaddingMode.zeros else stage.padding_mode.value
        images = F.pad(images, (before, after, before, after), mode)
        weights = torch.randn(stage.filters, images.shape[1], stage.kernel_size, stage.kernel_size)
        images = F.conv2d(images, weights, stride=stage.stride, dilation=stage.dilation)
        if stage.normalization is Normalization.instance:
            images = F.instance_norm(images)
        elif stage.normalization is Normalization.layer:
            images = F.group_norm(images, 1)
        if stage.pool is not Pool.none:
            images = F.max_pool2d(images, stage.pool_size, stage.pool_stride or stage.pool_size)


units = st.lists(st.integers(1, 5), max_size=2)
images_of_any_shape = st.tuples(st.integers(1, 3), st.integers(1, 11), st.integers(1, 11))
stages_of_any_kind = st.builds(
    Stage,
    filters=st.integers(1, 4),
    kernel_size=st.integers(1, 4),
    stride=st.integers(1, 3),
    padding=st.sampled_from(["valid", "same", "full"]) | st.integers(0, 4),
    padding_mode=st.sampled_from(PaddingMode),
    dilation=st.integers(1, 3),
    normalization=st.sampled_from(Normalization),
    activation=st.sampled_from(schema.Activation),
    pool=st.sampled_from(Pool),
    pool_size=st.integers(1, 3),
    pool_stride=st.none() | st.integers(1, 3),
    dropout=st.sampled_from([0.0, 0.5]),
)
cnns = st.builds(
    schema.CNN,
    name=st.just(schema.ModelName.cnn),
    stages=st.lists(stages_of_any_kind, max_size=3),
    head=st.sampled_from(Head),
    hidden=units,
    activation=st.sampled_from(schema.Activation),
    dropout=st.sampled_from([0.0, 0.5]),
)


def build(model: schema.CNN, image_shape: Shape) -> CNN:
    return CNN(
        image_shape,
        CLASSES,
        model.stages,
        model.head.value,
        model.hidden,
        model.activation.value,
        model.dropout,
    )


@given(model=cnns, image_shape=images_of_any_shape)
@settings(max_examples=300, deadline=None)
@example(cnn_of(Stage(kernel_size=2, padding="same", normalization=Normalization.batch)), (2, 5, 3))
@example(cnn_of(Stage(padding="valid", normalization=Normalization.instance)), (1, 3, 3))
@example(cnn_of(Stage(padding=3, padding_mode=PaddingMode.reflect)), (1, 3, 9))
@example(cnn_of(Stage(kernel_size=2, padding="same", padding_mode=PaddingMode.reflect)), (1, 9, 1))
def test_table_of_any_cnn_is_what_torch_does(model: schema.CNN, image_shape: Shape) -> None:
    try:
        layers = table(model, image_shape, CLASSES)
    except ConfigError:
        event("refused")
        with pytest.raises(ConfigError):
            build(model, image_shape)
        with pytest.raises((RuntimeError, ValueError)):
            run_plainly(model, torch.zeros(1, *image_shape))
        return
    event("accepted")
    network = build(model, image_shape)
    assert_table_is_the_network(layers, network, image_shape)
    assert_trains(network, image_shape)


@given(image_shape=images_of_any_shape, hidden=units, dropout=st.sampled_from([0.0, 0.5]))
@settings(deadline=None)
def test_table_of_any_mlp_is_what_torch_does(
    image_shape: Shape, hidden: list[int], dropout: float
) -> None:
    relu = schema.Activation.relu
    model = schema.MLP(schema.ModelName.mlp, hidden, relu, dropout)
    network = MLP(image_shape, CLASSES, hidden, relu.value, dropout)
    layers = table(model, image_shape, CLASSES)
    assert layers[0].input_shape == image_shape
    assert layers[-1].parameters == ([prod(image_shape), *hidden][-1] + 1) * CLASSES
    assert_table_is_the_network(layers, network, image_shape)
    assert_trains(network, image_shape)

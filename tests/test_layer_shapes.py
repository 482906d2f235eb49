"""The layer table: by hand, and against torch for random networks, layer by layer."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from math import prod

import pytest
import torch
import torch.nn.functional as F
from hypothesis import event, example, given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from csvision.config import model_schema, schema
from csvision.config.compose import load_config
from csvision.config.model_schema import GlobalPool, Normalization, PaddingMode, Pool, Stage
from csvision.errors import ConfigError
from csvision.layer_shapes import (
    LayerSummary,
    Shape,
    layer_table,
    output_size,
    resolve_padding,
    transformed_shape,
)
from csvision.models.cnn import CNN
from csvision.models.mlp import MLP

CLASSES = 3
Shapes = tuple[Shape, Shape]
"""Input and output shape of a module, without the batch axis."""


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
def test_output_size_of_a_convolution_by_hand(
    size: int, kernel_size: int, stride: int, padding: int | str, dilation: int, expected: int
) -> None:
    amounts = resolve_padding(padding, kernel_size, dilation)
    assert output_size(size, kernel_size, stride, amounts, dilation) == expected


@pytest.mark.parametrize(
    ("size", "window", "stride", "expected"),
    [(28, 2, 2, 14), (7, 2, 2, 3), (7, 3, 1, 5), (7, 3, 2, 3), (8, 3, 2, 3), (3, 3, 3, 1)],
)
def test_output_size_of_a_pooling_by_hand(
    size: int, window: int, stride: int, expected: int
) -> None:
    assert output_size(size, window, stride) == expected


@pytest.mark.parametrize(
    ("size", "window", "stride"), [(2, 3, 1), (2, 3, 2), (1, 3, 2), (1, 9, 5), (1, 9, 8)]
)
def test_output_size_is_below_1_if_the_window_exceeds_the_input(
    size: int, window: int, stride: int
) -> None:
    assert output_size(size, window, stride) < 1


@given(
    size=st.integers(1, 12),
    kernel_size=st.integers(1, 5),
    stride=st.integers(1, 4),
    padding=st.tuples(st.integers(0, 3), st.integers(0, 3)),
    dilation=st.integers(1, 3),
)
def test_output_size_is_the_number_of_window_positions(
    size: int, kernel_size: int, stride: int, padding: tuple[int, int], dilation: int
) -> None:
    pixels = range(size + sum(padding))
    last_offset = dilation * (kernel_size - 1)
    positions = [pixel for pixel in pixels[::stride] if pixel + last_offset in pixels]
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
def test_resolve_padding_by_hand(
    padding: int | str, kernel_size: int, dilation: int, expected: tuple[int, int]
) -> None:
    assert resolve_padding(padding, kernel_size, dilation) == expected


@pytest.mark.parametrize("padding", ["sam", "1", "", -1])
def test_invalid_padding_is_rejected(padding: int | str) -> None:
    with pytest.raises(ValueError, match=f"padding={padding} must be valid, same, full or"):
        resolve_padding(padding, 3)


def test_transformed_shape_includes_the_padding() -> None:
    config: schema.TrainConfig = load_config("train", ["data.pad=2"])
    assert transformed_shape((3, 8, 10), config.data) == (3, 12, 14)
    config.data.pad = 0
    assert transformed_shape((3, 8, 10), config.data) == (3, 8, 10)


def load_model(choice: str) -> model_schema.ModelConfig:
    """Return the model of conf/model/CHOICE.yaml."""
    config: schema.TrainConfig = load_config("train", [f"model={choice}"])
    return config.model


def table(model: model_schema.ModelConfig, image_shape: Shape, classes: int) -> list[LayerSummary]:
    layers = layer_table(model, image_shape, classes)
    assert layers is not None
    return layers


def test_layer_table_of_the_default_cnn_by_hand() -> None:
    assert table(load_model("cnn"), (1, 28, 28), 10) == [
        LayerSummary("stages.0.convolution", 320, 225_792, (1, 28, 28), (32, 28, 28)),
        LayerSummary("stages.0.pool", 0, 0, (32, 28, 28), (32, 14, 14)),
        LayerSummary("stages.1.convolution", 18_496, 3_612_672, (32, 14, 14), (64, 14, 14)),
        LayerSummary("stages.1.pool", 0, 0, (64, 14, 14), (64, 7, 7)),
        LayerSummary("flatten", 0, 0, (64, 7, 7), (3_136,)),
        LayerSummary("dense.0", 200_768, 200_704, (3_136,), (64,)),
        LayerSummary("logits", 650, 640, (64,), (10,)),
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
def test_totals_of_the_default_networks_by_hand(
    choice: str, image_shape: Shape, parameters: int, multiply_adds: int
) -> None:
    layers = table(load_model(choice), image_shape, 10)
    assert sum(layer.parameters for layer in layers) == parameters
    assert sum(layer.multiply_adds for layer in layers) == multiply_adds


def test_custom_network_has_no_computed_table() -> None:
    model = model_schema.CustomModelConfig(
        model_schema.ModelName.custom, path="my_net.py:MyNet", kwargs={}
    )
    assert layer_table(model, (1, 28, 28), 10) is None


def cnn_of(*stages: Stage) -> model_schema.CNNConfig:
    return model_schema.CNNConfig(
        name=model_schema.ModelName.cnn,
        stages=list(stages),
        global_pool=GlobalPool.none,
        hidden=[],
        activation=model_schema.Activation.relu,
        dropout=0.0,
    )


@pytest.mark.parametrize(
    ("stages", "message"),
    [
        (
            [Stage(), Stage(kernel_size=6)],
            r"model\.stages\.1\.convolution: kernel_size=6, padding=1, dilation=1 .*"
            r"4x3 input",
        ),
        (
            [Stage(pool_size=9, padding="valid")],
            r"model\.stages\.0\.pool: pool_size=9 .* 6x4 input",
        ),
        (
            [Stage(padding=6, padding_mode=PaddingMode.reflect)],
            r"model\.stages\.0\.convolution: padding_mode=reflect .* 8x6 "
            r"input by 6 pixels; use at most 5",
        ),
        (
            [Stage(padding=7, padding_mode=PaddingMode.circular)],
            r"model\.stages\.0\.convolution: padding_mode=circular .* 8x6 "
            r"input by 7 pixels; use at most 6",
        ),
        # The larger side of an asymmetric padding counts: 5 before and 6 after.
        (
            [Stage(kernel_size=12, padding="same", padding_mode=PaddingMode.reflect)],
            r"model\.stages\.0\.convolution: padding_mode=reflect .* 8x6 "
            r"input by 6 pixels; use at most 5",
        ),
        (
            [Stage(pool_size=6), Stage(normalization=Normalization.instance)],
            r"model\.stages\.1\.normalization=instance .* 1x1; use batch",
        ),
        (
            [Stage(pool_size=6), Stage(filters=1, normalization=Normalization.layer)],
            r"model\.stages\.1\.normalization=layer .* 1x1; use batch",
        ),
    ],
)
def test_layer_that_does_not_fit_is_named_with_its_sizes(stages: list[Stage], message: str) -> None:
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
def test_largest_padding_or_window_is_accepted(stage: Stage) -> None:
    table = layer_table(cnn_of(stage), (1, 8, 6), CLASSES)
    assert table is not None
    assert table[-1].output_shape == (CLASSES,)


@contextmanager
def record_shapes(network: nn.Module) -> Iterator[dict[str, Shapes]]:
    """Record the input and output shape of each module by its name."""
    recorded: dict[str, Shapes] = {}

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


def measure(network: nn.Module, image_shape: Shape, names: list[str]) -> list[LayerSummary]:
    """Return the rows of a layer table for these modules, measured by torch."""
    network.eval()
    counter = FlopCounterMode(display=False)
    with record_shapes(network) as shapes, counter, torch.no_grad():
        network(torch.zeros(1, *image_shape))
    counts = counter.get_flop_counts()
    rows = []
    for name in names:
        operations = sum(counts.get(f"{type(network).__name__}.{name}", {}).values())
        # A separate padding module belongs to the row of its convolution.
        input_shape = shapes.get(name.replace("convolution", "padding"), shapes[name])[0]
        parameters = sum(weights.numel() for weights in network.get_submodule(name).parameters())
        rows.append(LayerSummary(name, parameters, operations // 2, input_shape, shapes[name][1]))
    return rows


def module_name(layer: LayerSummary, network: nn.Module) -> str:
    """Return the name of the module of a row; a CNN flattens in its module `global_pool`."""
    flattens = isinstance(network, CNN) and layer.name == "flatten"
    return "global_pool" if flattens else layer.name


def assert_table_matches(
    layers: list[LayerSummary], network: nn.Module, image_shape: Shape
) -> None:
    modules = [replace(layer, name=module_name(layer, network)) for layer in layers]
    assert modules == measure(network, image_shape, [layer.name for layer in modules])
    total = sum(weights.numel() for weights in network.parameters())
    assert sum(layer.parameters for layer in layers) == total
    counter = FlopCounterMode(display=False)
    with counter, torch.no_grad():
        network(torch.zeros(1, *image_shape))
    assert sum(layer.multiply_adds for layer in layers) == counter.get_total_flops() // 2


def assert_trains(network: nn.Module, image_shape: Shape) -> None:
    """Run two images forward and backward; every parameter must get a gradient."""
    network.train()
    logits = network(torch.randn(2, *image_shape))
    assert logits.shape == (2, CLASSES)
    logits.sum().backward()
    assert all(weights.grad is not None for weights in network.parameters())


def run_with_torch_functions(model: model_schema.CNNConfig, images: Tensor) -> None:
    """Run the stages with torch's functions only, which raise their own errors."""
    for stage in model.stages:
        full = stage.dilation * (stage.kernel_size - 1)
        amounts = {"valid": (0, 0), "same": (full // 2, -(-full // 2)), "full": (full, full)}
        before, after = (
            amounts[stage.padding]
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


hidden_units = st.lists(st.integers(1, 5), max_size=2)
image_shapes = st.tuples(st.integers(1, 3), st.integers(1, 11), st.integers(1, 11))
stages = st.builds(
    Stage,
    filters=st.integers(1, 4),
    kernel_size=st.integers(1, 4),
    stride=st.integers(1, 3),
    padding=st.sampled_from(["valid", "same", "full"]) | st.integers(0, 4),
    padding_mode=st.sampled_from(PaddingMode),
    dilation=st.integers(1, 3),
    normalization=st.sampled_from(Normalization),
    activation=st.sampled_from(model_schema.Activation),
    pool=st.sampled_from(Pool),
    pool_size=st.integers(1, 3),
    pool_stride=st.none() | st.integers(1, 3),
    dropout=st.sampled_from([0.0, 0.5]),
)
cnns = st.builds(
    model_schema.CNNConfig,
    name=st.just(model_schema.ModelName.cnn),
    stages=st.lists(stages, max_size=3),
    global_pool=st.sampled_from(GlobalPool),
    hidden=hidden_units,
    activation=st.sampled_from(model_schema.Activation),
    dropout=st.sampled_from([0.0, 0.5]),
)


def build(model: model_schema.CNNConfig, image_shape: Shape) -> CNN:
    return CNN(
        image_shape,
        CLASSES,
        model.stages,
        model.global_pool.value,
        model.hidden,
        model.activation.value,
        model.dropout,
    )


@pytest.mark.slow
@given(model=cnns, image_shape=image_shapes)
@settings(max_examples=300, deadline=None)
@example(cnn_of(Stage(kernel_size=2, padding="same", normalization=Normalization.batch)), (2, 5, 3))
@example(cnn_of(Stage(padding="valid", normalization=Normalization.instance)), (1, 3, 3))
@example(cnn_of(Stage(padding=3, padding_mode=PaddingMode.reflect)), (1, 3, 9))
@example(cnn_of(Stage(kernel_size=2, padding="same", padding_mode=PaddingMode.reflect)), (1, 9, 1))
@example(cnn_of(Stage(kernel_size=1, stride=2, padding=1, dilation=2)), (1, 8, 1))
def test_table_of_any_cnn_matches_torch(model: model_schema.CNNConfig, image_shape: Shape) -> None:
    try:
        layers = table(model, image_shape, CLASSES)
    except ConfigError:
        event("rejected")
        with pytest.raises(ConfigError):
            build(model, image_shape)
        with pytest.raises((RuntimeError, ValueError)):
            run_with_torch_functions(model, torch.zeros(1, *image_shape))
        return
    event("accepted")
    network = build(model, image_shape)
    assert_table_matches(layers, network, image_shape)
    assert_trains(network, image_shape)


@pytest.mark.slow
@given(image_shape=image_shapes, hidden=hidden_units, dropout=st.sampled_from([0.0, 0.5]))
@settings(deadline=None)
def test_table_of_any_mlp_matches_torch(
    image_shape: Shape, hidden: list[int], dropout: float
) -> None:
    relu = model_schema.Activation.relu
    model = model_schema.MLPConfig(model_schema.ModelName.mlp, hidden, relu, dropout)
    network = MLP(image_shape, CLASSES, hidden, relu.value, dropout)
    layers = table(model, image_shape, CLASSES)
    assert layers[0].input_shape == image_shape
    assert layers[-1].parameters == ([prod(image_shape), *hidden][-1] + 1) * CLASSES
    assert_table_matches(layers, network, image_shape)
    assert_trains(network, image_shape)

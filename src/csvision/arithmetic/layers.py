"""Explain the layers of a configured network, computed without torch, data or weights."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from math import prod
from typing import Literal

from csvision.arithmetic.activations import FLOAT_BYTES, IMAGE, kept_bytes
from csvision.arithmetic.windows import (
    ReceptiveField,
    Window,
    count_uses,
    size_formula,
    stage_window,
)
from csvision.config.model_schema import CNNConfig, MLPConfig, Normalization
from csvision.layer_shapes import LayerSummary, Shape

WHOLE_IMAGE: Literal["whole image"] = "whole image"

Field = tuple[int, int] | Literal["whole image"] | None
"""A receptive field: (height, width) in pixels, all pixels, or None if it was not measured."""


@dataclass(frozen=True)
class LayerExplanation:
    """A layer of a network; bytes are those of a batch in float32.

    `corner_uses` and `center_uses` count the windows over a corner and over the middle value of the
    layer's input. `kept_bytes` is what training keeps for the backward pass; `output_bytes` is also
    the size of the gradient of the outputs, and `gradient_bytes` that of the weights. None stands
    for what a layer does not have, or what was not measured.
    """

    name: str
    input_shape: Shape
    output_shape: Shape
    output_formula: str
    parameters: int
    parameter_formula: str
    multiply_adds: int
    receptive_field: Field
    corner_uses: int | None
    center_uses: int | None
    output_bytes: int
    kept_bytes: int | None
    gradient_bytes: int


@dataclass(frozen=True)
class NetworkExplanation:
    """The layers of a network and their totals; `kept_bytes` includes the images of the batch."""

    model: str
    image_shape: Shape
    num_classes: int
    batch_size: int
    parameters: int
    multiply_adds: int
    weight_bytes: int
    gradient_bytes: int
    image_bytes: int
    output_bytes: int
    kept_bytes: int | None
    layers: list[LayerExplanation]


Windows = tuple[Window, Window]
"""The windows of a layer along the height and the width."""


def explain_configured(
    model: CNNConfig | MLPConfig,
    table: list[LayerSummary],
    image_shape: Shape,
    num_classes: int,
    batch_size: int,
) -> NetworkExplanation:
    """Explain a CNN or an MLP from its configuration and its layer table."""
    kept = kept_bytes(model, table)
    fields = receptive_fields(model, table)
    layers = []
    for row, field in zip(table, fields, strict=True):
        window = stage_window(model, row.name) if isinstance(model, CNNConfig) else None
        layer = explain_layer(row, (window, window) if window else None, batch_size)
        layers.append(
            replace(
                layer,
                receptive_field=(field.side, field.side) if field else WHOLE_IMAGE,
                parameter_formula=parameter_formula(row, window),
                kept_bytes=(size := kept.of_batch(row.name, batch_size)),
                # Flattening copies maps, and what it copies is kept; or it makes no copy.
                output_bytes=size if row.name == "flatten" else layer.output_bytes,
            )
        )
    total = sum(kept.of_batch(name, batch_size) for name in (IMAGE, *(row.name for row in table)))
    return explain_network(model.name, image_shape, num_classes, batch_size, total, layers)


def explain_layer(row: LayerSummary, windows: Windows | None, batch_size: int) -> LayerExplanation:
    """Explain what follows from the shapes of a layer and from its windows."""
    is_view = not row.output_shape or row.name == "flatten"
    return LayerExplanation(
        name=row.name,
        input_shape=row.input_shape,
        output_shape=row.output_shape,
        output_formula=output_formula(row, windows),
        parameters=row.parameters,
        parameter_formula="",
        multiply_adds=row.multiply_adds,
        receptive_field=None,
        corner_uses=count_window_uses(row.input_shape, windows, lambda side: 0),
        center_uses=count_window_uses(row.input_shape, windows, lambda side: side // 2),
        output_bytes=0 if is_view else batch_size * prod(row.output_shape) * FLOAT_BYTES,
        kept_bytes=None,
        gradient_bytes=row.parameters * FLOAT_BYTES,
    )


def explain_network(
    name: str,
    image_shape: Shape,
    num_classes: int,
    batch_size: int,
    kept: int | None,
    layers: list[LayerExplanation],
) -> NetworkExplanation:
    """Add the totals to the layers of a network."""
    parameters = sum(layer.parameters for layer in layers)
    return NetworkExplanation(
        model=name,
        image_shape=image_shape,
        num_classes=num_classes,
        batch_size=batch_size,
        parameters=parameters,
        multiply_adds=sum(layer.multiply_adds for layer in layers),
        weight_bytes=parameters * FLOAT_BYTES,
        gradient_bytes=parameters * FLOAT_BYTES,
        image_bytes=batch_size * prod(image_shape) * FLOAT_BYTES,
        output_bytes=sum(layer.output_bytes for layer in layers),
        kept_bytes=kept,
        layers=layers,
    )


def count_window_uses(
    input_shape: Shape, windows: Windows | None, pixel: Callable[[int], int]
) -> int | None:
    """Return how many windows contain one value of a channel; None without windows.

    `pixel` returns the coordinate of the value on a side.
    """
    if windows is None:
        return None
    pairs = zip(input_shape[1:], windows, strict=True)
    return prod(count_uses(side, window, pixel(side)) for side, window in pairs)


def receptive_fields(
    model: CNNConfig | MLPConfig, layers: list[LayerSummary]
) -> Iterator[ReceptiveField | None]:
    """Yield the receptive field of each layer; None is the whole image.

    Instance and layer normalization compute mean and variance of all pixels.
    """
    field: ReceptiveField | None = ReceptiveField()
    for layer in layers:
        if sees_whole_image(model, layer):
            field = None
        elif field and isinstance(model, CNNConfig):
            window = stage_window(model, layer.name)
            field = field.after(window) if window else field
        yield field


def sees_whole_image(model: CNNConfig | MLPConfig, layer: LayerSummary) -> bool:
    """Return whether each value of a layer depends on all pixels of its input."""
    match layer.name.split("."):
        case ["stages", index, *_, "normalization"] if isinstance(model, CNNConfig):
            return model.stages[int(index)].normalization is not Normalization.batch
        case ["flatten"] | ["stages", *_]:
            return False
        case ["global_pool"]:
            return prod(layer.input_shape[1:]) > 1
        case _:
            return True


def output_formula(layer: LayerSummary, windows: Windows | None) -> str:
    """Return how the output size follows from the input size; empty if it is the same."""
    if windows is not None:
        axes = zip(layer.input_shape[1:], windows, strict=True)
        return ", ".join(dict.fromkeys(size_formula(*axis) for axis in axes))
    if layer.name == "flatten":
        return f"{'*'.join(map('{:,}'.format, layer.input_shape))} = {prod(layer.input_shape):,}"
    return ""


def parameter_formula(layer: LayerSummary, window: Window | None) -> str:
    """Return the number of parameters as outputs * (weights of each + bias); empty for none."""
    if not layer.parameters:
        return ""
    outputs, inputs = layer.output_shape[0], layer.input_shape[0]
    if layer.name.endswith("normalization"):
        return f"2*{outputs:,} = {layer.parameters:,}"
    weights = f"{inputs:,}"
    if window is not None:
        weights += f"*{window.kernel_size:,}*{window.kernel_size:,}"
    return f"{outputs:,}*({weights} + 1) = {layer.parameters:,}"

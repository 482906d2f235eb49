"""Explain one filter at one position: patch, weights, products, sum, and the next position.

Shapes: an image is (C, H, W) as stored in the table; the input of the layer is (C', h, w).
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from csvision.arithmetic.measured import module_windows
from csvision.arithmetic.windows import Window
from csvision.classifier import Classifier
from csvision.config.model_schema import PaddingMode
from csvision.errors import ConfigError
from csvision.layer_shapes import LayerSummary

Grid = list[list[float]]
Position = tuple[int, int]

SHOWN_CHANNELS = 3
"""Channels whose patches are shown: those whose products have the largest sums."""


@dataclass(frozen=True)
class ChannelStep:
    """One channel of the input under the filter; `total` is the sum of the products."""

    channel: int
    patch: Grid
    weights: Grid
    products: Grid
    total: float


@dataclass(frozen=True)
class FilterExplanation:
    """One output of a convolution: `output` = sum of all products + `bias`.

    `origin` is the row and column of the input under the first tap of the filter, below 0 for
    padding, and `span` the rows and columns from the first to the last tap. `other_total` is the
    sum of the `other_channels` that are not in `channels`. `next_position` is None after the last
    position. `input_map` is the first shown channel, `output_map` all outputs of the filter.
    """

    layer: str
    filter: int
    filters: int
    row: int
    label: str
    position: Position
    origin: Position
    span: Position
    stride: Position
    channels: list[ChannelStep]
    other_channels: int
    other_total: float
    bias: float
    output: float
    next_position: Position | None
    next_output: float | None
    input_map: Grid
    output_map: Grid


@dataclass(frozen=True)
class LayerCall:
    """A convolution with its input (C', h, w), padded, and its output (K, h', w')."""

    name: str
    module: nn.Conv2d
    windows: tuple[Window, Window]
    inputs: Tensor
    padded: Tensor
    outputs: Tensor


def explain_filter(
    classifier: Classifier,
    image: NDArray[np.uint8],
    row: int,
    label: str,
    layer: str | None,
    filter: int,
    position: list[int] | None,
) -> FilterExplanation:
    """Explain one output of a convolution for one image (C, H, W).

    Raises ConfigError if the layer is no convolution, or has no such filter or position.
    """
    call = call_layer(classifier, image, *find_convolution(classifier.network, layer))
    filters = len(call.outputs)
    if filter >= filters:
        raise ConfigError(f"filter={filter}: {call.name} has {filters} filters, from 0")
    outputs = call.outputs[filter]
    place = choose_position(call.name, outputs, position)
    steps = [channel_step(call, filter, place, channel) for channel in range(group_size(call))]
    shown = sorted(steps, key=lambda step: -abs(step.total))[:SHOWN_CHANNELS]
    others = [step.total for step in steps if step not in shown]
    bias = 0.0 if call.module.bias is None else float(call.module.bias.detach()[filter])
    total = float(outputs[place])
    # The sum in another order, in float64.
    assert np.isclose(sum(step.total for step in steps) + bias, total, rtol=1e-3, atol=1e-4)
    following = next_position(outputs, place)
    rows, columns = call.windows
    return FilterExplanation(
        layer=call.name,
        filter=filter,
        filters=filters,
        row=row,
        label=label,
        position=place,
        origin=(
            place[0] * rows.stride - rows.padding[0],
            place[1] * columns.stride - columns.padding[0],
        ),
        span=(rows.span, columns.span),
        stride=(rows.stride, columns.stride),
        channels=shown,
        other_channels=len(others),
        other_total=sum(others),
        bias=bias,
        output=total,
        next_position=following,
        next_output=None if following is None else float(outputs[following]),
        input_map=call.inputs[shown[0].channel].tolist(),
        output_map=outputs.tolist(),
    )


def find_convolution(network: nn.Module, layer: str | None) -> tuple[str, nn.Conv2d]:
    """Return a convolution by its name, or the first one; raises ConfigError without one."""
    found = {
        name: module for name, module in network.named_modules() if isinstance(module, nn.Conv2d)
    }
    if not found:
        raise ConfigError("row: the network has no convolution; write model=cnn, or remove row")
    name = layer or next(iter(found))
    if name not in found:
        raise ConfigError(
            f"layer={name} is no convolution of the network; choose from {', '.join(found)}"
        )
    return name, found[name]


def call_layer(
    classifier: Classifier, image: NDArray[np.uint8], name: str, module: nn.Conv2d
) -> LayerCall:
    """Pass an image through the network and return what the convolution gets and gives."""
    recorded: list[tuple[Tensor, Tensor]] = []

    def record(_: nn.Module, inputs: Any, output: Tensor) -> None:
        recorded.append((inputs[0][0], output[0]))

    hook = module.register_forward_hook(record)
    try:
        classifier.predict_logits(torch.from_numpy(image[None]))
    finally:
        hook.remove()
    if not recorded:
        raise ConfigError(f"layer={name} is not used for this image; choose another one")
    inputs, outputs = recorded[0]
    row = LayerSummary(name, 0, 0, tuple(inputs.shape), tuple(outputs.shape))
    windows = module_windows(module, row)
    assert windows is not None
    padding = (*windows[1].padding, *windows[0].padding)
    mode = windows[0].padding_mode
    word = "constant" if mode is PaddingMode.zeros else mode.value
    padded = F.pad(inputs[None], padding, word)[0] if any(padding) else inputs
    return LayerCall(name, module, windows, inputs, padded, outputs)


def choose_position(name: str, outputs: Tensor, position: list[int] | None) -> Position:
    """Return a position, or that of the largest output; raises ConfigError if there is none."""
    height, width = outputs.shape
    if position is None:
        row, column = divmod(int(outputs.argmax()), width)
        return row, column
    row, column = position
    if row >= height or column >= width:
        raise ConfigError(
            f"position=[{row},{column}]: the output of {name} is {height}x{width}, from [0,0] to "
            f"[{height - 1},{width - 1}]"
        )
    return row, column


def next_position(outputs: Tensor, position: Position) -> Position | None:
    """Return the position after this one, row by row; None after the last one."""
    height, width = outputs.shape
    index = position[0] * width + position[1] + 1
    return divmod(index, width) if index < height * width else None


def group_size(call: LayerCall) -> int:
    """Return the number of input channels of each filter."""
    return call.module.in_channels // call.module.groups


def channel_step(call: LayerCall, filter: int, position: Position, index: int) -> ChannelStep:
    """Return patch, weights and products of one of the input channels of a filter."""
    group = filter // (call.module.out_channels // call.module.groups)
    channel = group * group_size(call) + index
    taps = [
        [place * window.stride + tap * window.dilation for tap in range(window.kernel_size)]
        for place, window in zip(position, call.windows, strict=True)
    ]
    patch = call.padded[channel][taps[0]][:, taps[1]].double()
    weights = call.module.weight[filter, index].detach().double()
    products = patch * weights
    return ChannelStep(
        channel, patch.tolist(), weights.tolist(), products.tolist(), float(products.sum())
    )

"""Explain a custom network: what its modules do with images is measured.

Shapes: N images, (C, H, W) an image, (N, C, h, w) maps.
"""

from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn

from csvision.arithmetic.layers import (
    WHOLE_IMAGE,
    Field,
    LayerExplanation,
    NetworkExplanation,
    Windows,
    explain_layer,
    explain_network,
)
from csvision.arithmetic.windows import Window
from csvision.config.model_schema import CustomModelConfig, PaddingMode
from csvision.layer_shapes import LayerSummary, Shape, resolve_padding
from csvision.models.build import build_model
from csvision.models.summary import leaf_modules, profile_model
from csvision.models.user_code import run_user_code
from csvision.rng import derive_seed, seeded_generators

VIEWS = (nn.Flatten, nn.Unflatten, nn.Identity)
"""Modules whose output is their input in another shape."""


def explain_custom(
    model: CustomModelConfig, image_shape: Shape, num_classes: int, batch_size: int, seed: int
) -> NetworkExplanation:
    """Explain a custom network by running it; raises ConfigError if it cannot be run."""
    seed = derive_seed(seed, "weights")
    network = build_model(model, image_shape, num_classes, seed)
    with seeded_generators(seed), run_user_code(model):
        rows = profile_model(network, image_shape)
        fields = receptive_fields(network, image_shape)
        kept = kept_bytes(network, image_shape, batch_size)
    if len(fields) != len([row for row in rows if row.output_shape]):
        fields = []
    layers = [
        explain_row(network, row, fields[index] if index < len(fields) else None, batch_size)
        for index, row in enumerate(rows)
    ]
    return explain_network(model.name, image_shape, num_classes, batch_size, kept, layers)


def explain_row(
    network: nn.Module, row: LayerSummary, field: Field, batch_size: int
) -> LayerExplanation:
    """Explain a leaf module, or the parameters outside of all leaf modules."""
    module = network.get_submodule(row.name) if row.output_shape else None
    layer = explain_layer(row, module_windows(module, row), batch_size)
    bytes_ = 0 if isinstance(module, VIEWS) else layer.output_bytes
    return replace(layer, receptive_field=field, output_bytes=bytes_)


def module_windows(module: nn.Module | None, row: LayerSummary) -> Windows | None:
    """Return the windows of a convolution or pooling of images; None for other modules."""
    if len(row.input_shape) != 3 or not isinstance(module, nn.Conv2d | nn.MaxPool2d | nn.AvgPool2d):
        return None
    if getattr(module, "ceil_mode", False):
        return None
    first, second = (axis_window(module, axis) for axis in (0, 1))
    return first, second


def axis_window(module: nn.Conv2d | nn.MaxPool2d | nn.AvgPool2d, axis: int) -> Window:
    """Return the window of a module along one axis."""
    kernel_size, stride = along(module.kernel_size, axis), along(module.stride, axis)
    dilation = along(getattr(module, "dilation", 1), axis)
    padding = module.padding
    if isinstance(padding, str):
        before, after = resolve_padding(padding, kernel_size, dilation)
    else:
        before = after = along(padding, axis)
    mode = PaddingMode(getattr(module, "padding_mode", "zeros"))
    return Window(kernel_size, stride, (before, after), dilation, mode)


def along(value: Any, axis: int) -> int:
    """Return an argument of torch for one axis: it is a number or a pair."""
    return int(value[axis] if isinstance(value, tuple) else value)


def receptive_fields(network: nn.Module, image_shape: Shape) -> list[Field]:
    """Return the receptive field of each leaf module, at the center of its maps.

    That of nn.Flatten is the field of its input: each value of a vector is one of the maps.
    Each image has NaN in one row or column of pixels; a value that depends on it is NaN, too. The
    list is empty if the network takes no float64 or rejects NaN.
    """
    # For float32, oneDNN and NNPACK compute several pixels together, and all would become NaN.
    network.double()
    outputs: list[Tensor] = []
    _, height, width = image_shape
    images = torch.rand(height + width, *image_shape, dtype=torch.float64)
    for line in range(height):
        images[line, :, line] = torch.nan
    for line in range(width):
        images[height + line, :, :, line] = torch.nan

    def record(module: nn.Module, inputs: Any, output: Any) -> None:
        maps = inputs[0] if isinstance(module, nn.Flatten) and inputs else output
        outputs.append(maps if isinstance(maps, Tensor) else torch.empty(0))

    hooks = [module.register_forward_hook(record) for module in leaf_modules(network)]
    network.eval()
    try:
        with torch.no_grad():
            network(images)
    # The code of a custom network may raise any exception.
    except Exception:
        return []
    finally:
        network.float()
        for hook in hooks:
            hook.remove()
    return [measure_field(output, height, width) for output in outputs]


def measure_field(output: Tensor, height: int, width: int) -> Field:
    """Return the extent of the rows and columns on which the center of an output depends."""
    if len(output) != height + width or output.ndim not in (2, 4):
        return None
    if output.ndim == 4:
        output = output[:, :, output.shape[2] // 2, output.shape[3] // 2]
    lines = output.isnan().any(dim=1)
    sides = extent(lines[:height]), extent(lines[height:])
    if 0 in sides:
        return None
    return WHOLE_IMAGE if sides == (height, width) else sides


def extent(marks: Tensor) -> int:
    """Return the distance from the first to the last mark, both included; 0 without a mark."""
    places = marks.nonzero().flatten().tolist()
    return places[-1] - places[0] + 1 if places else 0


def kept_bytes(network: nn.Module, image_shape: Shape, batch_size: int) -> int | None:
    """Return what a training step keeps for the backward pass, without the weights.

    It is measured for two and three images, and grows by the same amount for each further image.
    The result is None if the network cannot be trained on these images.
    """
    network.train()
    try:
        two, three = (saved_bytes(network, torch.rand(n, *image_shape)) for n in (2, 3))
    # The code of a custom network may raise any exception.
    except Exception:
        return None
    return two + (batch_size - 2) * (three - two)


def saved_bytes(network: nn.Module, images: Tensor) -> int:
    """Return the bytes of the tensors that autograd saves, without parameters and buffers."""
    own = {tensor.untyped_storage().data_ptr() for tensor in state_tensors(network)}
    saved: dict[int, Tensor] = {}

    def pack(tensor: Tensor) -> Tensor:
        address = tensor.untyped_storage().data_ptr()
        if address not in own:
            # Kept alive, so that no later tensor gets the same address.
            saved[address] = tensor
        return tensor

    with torch.enable_grad(), torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        network(images)
    return sum(tensor.untyped_storage().nbytes() for tensor in saved.values())


def state_tensors(network: nn.Module) -> list[Tensor]:
    """Return parameters and buffers."""
    return [*network.parameters(), *network.buffers()]

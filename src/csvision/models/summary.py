"""The layer table: what a network consists of and what one image costs."""

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from csvision import schema
from csvision.geometry import Layer, Shape, layer_table

HEADER = ("layer", "parameters", "multiply-adds", "input shape", "output shape")


def describe_network(
    network: nn.Module, model: schema.Model, image_shape: Shape, classes: int
) -> str:
    """The layer table as text: of csvision's networks by arithmetic, of others by a trial."""
    layers = layer_table(model, image_shape, classes)
    return format_table(layers or measure_layers(network, image_shape))


def measure_layers(network: nn.Module, image_shape: Shape) -> list[Layer]:
    """The innermost modules that one image passes, in order, as torch sees them."""
    layers: list[Layer] = []
    names = {module: name for name, module in network.named_modules()}
    counter = FlopCounterMode(display=False)

    def record(module: nn.Module, inputs: tuple[torch.Tensor, ...], output: torch.Tensor) -> None:
        parameters = sum(weights.numel() for weights in module.parameters())
        shapes = tuple(inputs[0].shape[1:]), tuple(output.shape[1:])
        layers.append(Layer(names[module], parameters, multiply_adds() - sum(before), *shapes))
        before.append(layers[-1].multiply_adds)

    def multiply_adds() -> int:
        # torch counts a multiply-add as two operations.
        return counter.get_total_flops() // 2

    before: list[int] = []
    leaves = [module for module in names if not list(module.children())]
    hooks = [module.register_forward_hook(record) for module in leaves]
    training = network.training
    network.eval()
    try:
        with torch.no_grad(), counter:
            network(torch.zeros(1, *image_shape))
    finally:
        network.train(training)
        for hook in hooks:
            hook.remove()
    return layers


def format_table(layers: list[Layer]) -> str:
    """Layers as lines of text, with the totals below."""
    rows = [HEADER, *(layer_row(layer) for layer in layers)]
    rows.append(
        (
            "total",
            f"{sum(layer.parameters for layer in layers):,}",
            f"{sum(layer.multiply_adds for layer in layers):,}",
            "",
            "",
        )
    )
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        f"{row[0]:<{widths[0]}}  {row[1]:>{widths[1]}}  {row[2]:>{widths[2]}}  "
        f"{row[3]:<{widths[3]}}  {row[4]:<{widths[4]}}".rstrip()
        for row in rows
    )


def layer_row(layer: Layer) -> tuple[str, ...]:
    """The cells of one layer."""
    shapes = ["x".join(map(str, shape)) for shape in (layer.input_shape, layer.output_shape)]
    return (layer.name, f"{layer.parameters:,}", f"{layer.multiply_adds:,}", *shapes)

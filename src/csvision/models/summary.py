"""The layer table: what a network consists of and what one image costs."""

from typing import Any

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
    return format_table(layers or measure_network(network, image_shape))


def measure_network(network: nn.Module, image_shape: Shape) -> list[Layer]:
    """The innermost modules, and the parameters that stand in none of them."""
    layers = measure_layers(network, image_shape)
    parameters = sum(weights.numel() for weights in network.parameters())
    others = parameters - sum(layer.parameters for layer in layers)
    return [*layers, Layer("elsewhere", others, 0, (), ())] if others else layers


def measure_layers(network: nn.Module, image_shape: Shape) -> list[Layer]:
    """The innermost modules that one image passes, in order, as torch sees them."""
    layers: list[Layer] = []
    counted: set[nn.Parameter] = set()
    names = {module: name for name, module in network.named_modules()}
    counter = FlopCounterMode(display=False)

    def record(module: nn.Module, args: Any, kwargs: Any, output: Any) -> None:
        # A module used twice, or weights that two share, count once.
        parameters = sum(weights.numel() for weights in {*module.parameters()} - counted)
        counted.update(module.parameters())
        shapes = shape_of((args, kwargs)), shape_of(output)
        layers.append(Layer(names[module], parameters, multiply_adds() - sum(before), *shapes))
        before.append(layers[-1].multiply_adds)

    def multiply_adds() -> int:
        # torch counts a multiply-add as two operations.
        return counter.get_total_flops() // 2

    before: list[int] = []
    leaves = [module for module in names if not list(module.children())]
    hooks = [module.register_forward_hook(record, with_kwargs=True) for module in leaves]
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


def shape_of(value: Any) -> Shape:
    """The shape, without the axis of images, of the first tensor; () if there is none."""
    if isinstance(value, torch.Tensor):
        return tuple(value.shape[1:])
    items = list(value.values()) if isinstance(value, dict) else value
    if not isinstance(items, list | tuple):
        return ()
    return next(filter(None, map(shape_of, items)), ())


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

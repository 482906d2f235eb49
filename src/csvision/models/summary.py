"""Format the layer table of a network; measure it for custom networks."""

from typing import Any

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from csvision.config import model_schema
from csvision.layer_shapes import LayerSummary, Shape, layer_table

HEADER = ("layer", "parameters", "multiply-adds", "input shape", "output shape")


def summarize(
    network: nn.Module, model: model_schema.ModelConfig, image_shape: Shape, num_classes: int
) -> str:
    """Return the layer table as text: computed for MLP and CNN, measured for custom networks."""
    layers = layer_table(model, image_shape, num_classes)
    return format_table(layers or profile_model(network, image_shape))


def profile_model(network: nn.Module, image_shape: Shape) -> list[LayerSummary]:
    """Return the leaf modules, and a row for parameters outside of them."""
    layers = profile_layers(network, image_shape)
    parameters = sum(weights.numel() for weights in network.parameters())
    others = parameters - sum(layer.parameters for layer in layers)
    return [*layers, LayerSummary("other", others, 0, (), ())] if others else layers


def profile_layers(network: nn.Module, image_shape: Shape) -> list[LayerSummary]:
    """Run one image through the network and return its leaf modules in order."""
    layers: list[LayerSummary] = []
    counted: set[nn.Parameter] = set()
    names = leaf_modules(network)
    counter = FlopCounterMode(display=False)

    def record(module: nn.Module, args: Any, kwargs: Any, output: Any) -> None:
        # Modules used twice and shared weights count once.
        parameters = sum(weights.numel() for weights in {*module.parameters()} - counted)
        counted.update(module.parameters())
        # torch counts a multiply-add as two operations, and counts all modules so far.
        multiply_adds = counter.get_total_flops() // 2 - sum(row.multiply_adds for row in layers)
        shapes = shape_of((args, kwargs)), shape_of(output)
        layers.append(LayerSummary(names[module], parameters, multiply_adds, *shapes))

    hooks = [module.register_forward_hook(record, with_kwargs=True) for module in names]
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


def leaf_modules(network: nn.Module) -> dict[nn.Module, str]:
    """Return the modules without children that accept hooks, with their names."""
    # torch.jit.script modules accept no hooks.
    return {
        module: name
        for name, module in network.named_modules()
        if not list(module.children()) and not isinstance(module, torch.jit.ScriptModule)
    }


def shape_of(value: Any) -> Shape:
    """Return the shape of the first tensor without the batch axis; () without a tensor."""
    if isinstance(value, torch.Tensor):
        return tuple(value.shape[1:])
    items = list(value.values()) if isinstance(value, dict) else value
    if not isinstance(items, list | tuple):
        return ()
    return next(filter(None, map(shape_of, items)), ())


def format_table(layers: list[LayerSummary]) -> str:
    """Format layers as a text table with totals."""
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


def layer_row(layer: LayerSummary) -> tuple[str, ...]:
    """Return the cells of one layer."""
    shapes = ["x".join(map(str, shape)) for shape in (layer.input_shape, layer.output_shape)]
    return (layer.name, f"{layer.parameters:,}", f"{layer.multiply_adds:,}", *shapes)

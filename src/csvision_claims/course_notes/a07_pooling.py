"""A7: pooling has no trainable parameters."""

from typing import Any

import torch
from torch import nn

from csvision import Pool, pooling_layer
from csvision_claims.engine.charts import Panel, Panels
from csvision_claims.engine.claim import Claim, Measurement, Statement
from csvision_claims.engine.jobs import Job
from csvision_claims.engine.rules import Comparison, Exact
from csvision_claims.engine.runner import Runner

SIDE = 4
POOLS = (Pool.max, Pool.avg, Pool.min)


def make_layers() -> dict[str, nn.Module]:
    """Return the pooling layers of csvision and of torch."""
    own: dict[str, nn.Module] = {
        f"{pool} {size}x{size}, stride {stride}": pooling_layer(pool, size, stride)
        for pool in POOLS
        for size, stride in ((2, 2), (3, 2))
    }
    torch_layers = (
        nn.MaxPool2d(2),
        nn.AvgPool2d(2),
        nn.LPPool2d(2, 2),
        nn.FractionalMaxPool2d(2, output_ratio=0.5),
        nn.AdaptiveAvgPool2d(1),
        nn.AdaptiveMaxPool2d(1),
    )
    return own | {f"torch {type(layer).__name__}": layer for layer in torch_layers}


def count_parameters() -> dict[str, int]:
    """Return the trainable parameters of each pooling layer, and of a convolution last."""
    convolution = {"a 3x3 convolution with 32 filters": nn.Conv2d(1, 32, 3)}
    return {
        name: sum(weights.numel() for weights in layer.parameters() if weights.requires_grad)
        for name, layer in (make_layers() | convolution).items()
    }


def trace_gradients(seed: int) -> dict[str, Any]:
    """Return a random map and the gradient of the sum of its pooled values."""
    generator = torch.Generator().manual_seed(seed)
    values = torch.randint(0, 100, (1, 1, SIDE, SIDE), generator=generator).double()
    found = {}
    for pool in POOLS:
        maps = values.clone().requires_grad_()
        pooled = pooling_layer(pool, 2, 2)(maps)
        pooled.sum().backward()
        assert maps.grad is not None
        found[pool.value] = {
            "outputs": pooled.numel(),
            "sum": float(maps.grad.sum()),
            "reached": int((maps.grad != 0).sum()),
            "gradient": maps.grad[0, 0].tolist(),
        }
    return {"values": values[0, 0].tolist(), "pools": found}


def draw_heat_maps(found: dict[str, Any]) -> Panels:
    """Show the map and its gradient through each pooling layer."""
    reached = ", ".join(f"{name} {entry['reached']}" for name, entry in found["pools"].items())
    return Panels(
        "a map, and the gradient of its values through each pooling layer",
        [
            Panel("values", found["values"]),
            *(Panel(name, entry["gradient"], 0, 1) for name, entry in found["pools"].items()),
        ],
        alt=f"Number of {SIDE * SIDE} values with a gradient: {reached}",
        style="heat",
        columns=4,
    )


def measure(runner: Runner) -> Measurement:
    """Count the parameters and trace the gradient."""
    counts, found = runner.run([Job(count_parameters, {}), Job(trace_gradients, {"seed": 1})])
    *pools, convolution = counts
    maximum, average = (found["pools"][name] for name in ("max", "avg"))
    return Measurement(
        evidence={"A7": [Comparison(name, 0, counts[name]) for name in pools]},
        finding=(
            f"Pooling has no parameters, but it passes gradients on. None of {len(pools)} pooling "
            f"layers has a parameter; {convolution} has {counts[convolution]}. Of {SIDE * SIDE} "
            f"values, max pooling passes the gradient to {maximum['reached']}, the largest in each "
            f"window, and average pooling to all {average['reached']}; the sum of the gradient "
            f"remains {maximum['sum']:g}, that of the {maximum['outputs']} outputs."
        ),
        table=[
            {
                "pooling 2x2": name,
                "outputs": entry["outputs"],
                "values with a gradient": entry["reached"],
                "sum of the gradient": entry["sum"],
            }
            for name, entry in found["pools"].items()
        ],
        charts=[draw_heat_maps(found)],
    )


CLAIM = Claim(
    id="A7",
    title="Pooling has no trainable parameters",
    statements=(Statement("A7", "Pooling layers have no trainable parameters", Exact()),),
    why="It explains the zeros in a layer table; it does not mean that gradients stop at pooling.",
    method=(
        "The parameters of the pooling layers of csvision and torch are counted. A gradient of one "
        "at every pooled value is propagated back through max, average and min pooling."
    ),
    measure=measure,
)

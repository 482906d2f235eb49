"""A7: pooling has no trainable parameters."""

from typing import Any

import torch
from torch import nn

from csvision.claims.bench import Bench
from csvision.claims.charts import Panel, Panels
from csvision.claims.claim import Claim, Measurement, Statement
from csvision.claims.jobs import Job
from csvision.claims.rules import Comparison, Exact
from csvision.models.layers import pooling_layer
from csvision.schema import Pool

SIDE = 4
POOLS = (Pool.max, Pool.avg, Pool.min)


def layers() -> dict[str, nn.Module]:
    """csvision's poolings and torch's."""
    own: dict[str, nn.Module] = {
        f"{pool} {size}x{size}, stride {stride}": pooling_layer(pool, size, stride)
        for pool in POOLS
        for size, stride in ((2, 2), (3, 2))
    }
    theirs = (
        nn.MaxPool2d(2),
        nn.AvgPool2d(2),
        nn.LPPool2d(2, 2),
        nn.FractionalMaxPool2d(2, output_ratio=0.5),
        nn.AdaptiveAvgPool2d(1),
        nn.AdaptiveMaxPool2d(1),
    )
    return own | {f"torch {type(layer).__name__}": layer for layer in theirs}


def parameters() -> dict[str, int]:
    """Trainable parameters of each pooling, and of a convolution for comparison."""
    convolution = {"a 3x3 convolution with 32 filters": nn.Conv2d(1, 32, 3)}
    return {
        name: sum(weights.numel() for weights in layer.parameters() if weights.requires_grad)
        for name, layer in (layers() | convolution).items()
    }


def gradients(seed: int) -> dict[str, Any]:
    """A random map, and the gradient of the sum of its pooled values with respect to it."""
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


def heat(found: dict[str, Any]) -> Panels:
    """The map and where its gradient goes."""
    reached = ", ".join(f"{name} {entry['reached']}" for name, entry in found["pools"].items())
    return Panels(
        "a map, and the gradient that reaches its values through each pooling",
        [
            Panel("values", found["values"]),
            *(Panel(name, entry["gradient"], 0, 1) for name, entry in found["pools"].items()),
        ],
        alt=f"Of {SIDE * SIDE} values a gradient reaches: {reached}",
        style="heat",
        columns=4,
    )


def measure(bench: Bench) -> Measurement:
    """Count the parameters, and see the gradient through."""
    counts, found = bench.run([Job(parameters, {}), Job(gradients, {"seed": 1})])
    *pools, convolution = counts
    most, mean = (found["pools"][name] for name in ("max", "avg"))
    return Measurement(
        evidence={"A7": [Comparison(name, 0, counts[name]) for name in pools]},
        finding=(
            f"None of {len(pools)} poolings has a parameter, where {convolution} has "
            f"{counts[convolution]}. They are no end of the line for training: of "
            f"{SIDE * SIDE} values maximum pooling hands the gradient on to {most['reached']}, "
            f"the largest of each window, and average pooling to all {mean['reached']}; the "
            f"gradient's sum stays {most['sum']:g}, that of the {most['outputs']} outputs."
        ),
        table=[
            {
                "pooling 2x2": name,
                "outputs": entry["outputs"],
                "values that a gradient reaches": entry["reached"],
                "sum of the gradient": entry["sum"],
            }
            for name, entry in found["pools"].items()
        ],
        charts=[heat(found)],
    )


CLAIM = Claim(
    id="A7",
    title="Pooling has no trainable parameters",
    statements=(Statement("A7", "Pooling has no trainable parameters", Exact()),),
    why="It explains the zeros in a layer table; it does not mean that nothing passes backwards.",
    method=(
        "The parameters of csvision's and of torch's poolings are counted. A gradient of one at "
        "every pooled value is sent back through maximum, average and minimum pooling."
    ),
    measure=measure,
)

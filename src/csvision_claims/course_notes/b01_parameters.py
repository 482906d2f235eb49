"""B1: an MLP has more parameters than a CNN."""

from math import prod

import torch
from torch import nn

from csvision import CNN, MLP, profile_layers
from csvision_claims.engine.charts import Scatter
from csvision_claims.engine.claim import Claim, Measurement, Statement
from csvision_claims.engine.jobs import Job
from csvision_claims.engine.rules import Comparison, Exact
from csvision_claims.engine.runner import Runner

CLASSES = 10

MILLION = 10**6

Shape = tuple[int, ...]

MAPS: dict[str, tuple[Shape, Shape, int]] = {
    "convolution 1": ((1, 28, 28), (32, 28, 28), 3),
    "convolution 2": ((32, 14, 14), (64, 14, 14), 3),
}
"""Input and output shape of the CNN's convolutions, and the side of their filters."""

Cost = dict[str, int]
"""Parameters, and multiply-adds for one image."""


def make_network(kind: str, image_shape: Shape) -> nn.Module:
    """Return one of the notes' networks, or their CNN with a global average as its head."""
    torch.manual_seed(0)
    match kind:
        case "MLP":
            return MLP(image_shape, CLASSES)
        case "CNN":
            return CNN(image_shape, CLASSES)
        case _:
            return CNN(image_shape, CLASSES, global_pool="avg")


def network_cost(kind: str, channels: int) -> Cost:
    """Return what torch counts while one image passes through a network."""
    shape = (channels, 28, 28)
    layers = profile_layers(make_network(kind, shape), shape)
    return {
        "parameters": sum(layer.parameters for layer in layers),
        "multiply_adds": sum(layer.multiply_adds for layer in layers),
        "dense": sum(layer.parameters for layer in layers if layer.name == "dense.0.linear"),
    }


def layer_costs(name: str) -> dict[str, Cost]:
    """Return the costs of a convolution and of a dense layer with the same inputs and outputs.

    The dense layer is created on torch's device meta, without memory.
    """
    inputs, outputs, side = MAPS[name]
    convolution = nn.Conv2d(inputs[0], outputs[0], side, padding="same")
    (layer,) = profile_layers(nn.Sequential(convolution), inputs)
    assert layer.output_shape == outputs
    dense = nn.Linear(prod(inputs), prod(outputs), device="meta")
    return {
        "convolution": {"parameters": layer.parameters, "multiply_adds": layer.multiply_adds},
        "dense": {
            "parameters": sum(weights.numel() for weights in dense.parameters()),
            "multiply_adds": dense.weight.numel(),
        },
    }


def draw_scatter(costs: dict[str, Cost]) -> Scatter:
    """Show parameters against multiply-adds of networks and layers."""
    return Scatter(
        "parameters and multiply-adds, gray images of 28x28",
        "parameters",
        "multiply-adds for one image",
        {
            name: (float(cost["parameters"]), float(cost["multiply_adds"]))
            for name, cost in costs.items()
        },
        alt="; ".join(
            f"{name}: {cost['parameters']:,} parameters, {cost['multiply_adds']:,} multiply-adds"
            for name, cost in costs.items()
        ),
    )


def has_more(case: str, one: Cost, other: Cost) -> Comparison:
    """Return the case that claims more parameters for the first than for the second."""
    return Comparison(case, True, one["parameters"] > other["parameters"])


def measure(runner: Runner) -> Measurement:
    """Count the parameters of networks and layers."""
    choices = [(kind, c) for kind in ("MLP", "CNN", "global average") for c in (1, 3)]
    counted = runner.run([Job(network_cost, {"kind": k, "channels": c}) for k, c in choices])
    networks = dict(zip(choices, counted, strict=True))
    layers = dict(zip(MAPS, runner.run([Job(layer_costs, {"name": n}) for n in MAPS]), strict=True))
    mlp, cnn, average = (networks[kind, 1] for kind in ("MLP", "CNN", "global average"))
    color_mlp, color_cnn = networks["MLP", 3], networks["CNN", 3]
    costs = {"MLP": mlp, "CNN": cnn, "CNN with a global average": average}
    for name, pair in layers.items():
        costs[name] = pair["convolution"]
        costs[f"dense in place of {name}"] = pair["dense"]
    first = layers["convolution 1"]
    return Measurement(
        evidence={
            "B1a": [
                has_more("28x28 gray, the notes' MLP and CNN", mlp, cnn),
                has_more("28x28 color, both", color_mlp, color_cnn),
                has_more("28x28 gray, CNN with a global average", mlp, average),
            ],
            "B1b": [
                has_more(f"in place of {n}", p["dense"], p["convolution"])
                for n, p in layers.items()
            ],
        },
        finding=(
            "The statement is wrong for the notes' pair on gray images, and right layer by layer. "
            f"On gray images the CNN has {cnn['parameters']:,} parameters, "
            f"{cnn['parameters'] / mlp['parameters']:.2f} times the MLP's {mlp['parameters']:,}, "
            f"and {cnn['multiply_adds'] / MILLION:.2f} M multiply-adds per image against "
            f"{mlp['multiply_adds'] / MILLION:.3f} M; {100 * cnn['dense'] / cnn['parameters']:.0f} "
            "% of its parameters are in its dense layer, and with a global average in place of the "
            f"flattening it has {average['parameters']:,}. On color images the MLP has more "
            f"({color_mlp['parameters']:,} against {color_cnn['parameters']:,}). A dense layer in "
            "place of the first convolution has "
            f"{first['dense']['parameters'] / MILLION:.1f} M parameters against "
            f"{first['convolution']['parameters']}."
        ),
        table=[
            {
                "on gray images": name,
                "parameters": cost["parameters"],
                "multiply-adds for one image": cost["multiply_adds"],
            }
            for name, cost in costs.items()
        ],
        charts=[draw_scatter(costs)],
    )


CLAIM = Claim(
    id="B1",
    title="An MLP has more parameters than a CNN",
    statements=(
        Statement("B1a", "For the same images an MLP has more parameters than a CNN", Exact()),
        Statement(
            "B1b", "A dense layer has more parameters than a convolution in its place", Exact()
        ),
    ),
    why="It is the notes' first reason for convolutions, and their reason why an MLP overfits.",
    method=(
        "The parameters and multiply-adds of the notes' two networks are counted. The same is "
        "done for each convolution and for a dense layer with the same inputs and outputs."
    ),
    measure=measure,
)

"""B1: an MLP has more parameters than a CNN."""

from math import prod

import torch
from torch import nn

from csvision.claims.bench import Bench
from csvision.claims.charts import Scatter
from csvision.claims.claim import Claim, Measurement, Statement
from csvision.claims.jobs import Job
from csvision.claims.rules import Comparison, Exact
from csvision.geometry import Shape
from csvision.models.cnn import CNN
from csvision.models.mlp import MLP
from csvision.models.summary import measure_layers

CLASSES = 10

MILLION = 10**6

MAPS: dict[str, tuple[Shape, Shape, int]] = {
    "convolution 1": ((1, 28, 28), (32, 28, 28), 3),
    "convolution 2": ((32, 14, 14), (64, 14, 14), 3),
}
"""What goes in and comes out of the CNN's convolutions, and the side of their filters."""

Cost = dict[str, int]
"""Parameters, and multiply-adds of one image."""


def network_of(kind: str, image_shape: Shape) -> nn.Module:
    """The notes' networks, and their CNN with a global average in place of the flattening."""
    torch.manual_seed(0)
    match kind:
        case "MLP":
            return MLP(image_shape, CLASSES)
        case "CNN":
            return CNN(image_shape, CLASSES)
        case _:
            return CNN(image_shape, CLASSES, head="global_average")


def cost_of_network(kind: str, channels: int) -> Cost:
    """What torch counts while one image passes."""
    shape = (channels, 28, 28)
    layers = measure_layers(network_of(kind, shape), shape)
    return {
        "parameters": sum(layer.parameters for layer in layers),
        "multiply_adds": sum(layer.multiply_adds for layer in layers),
        "dense": sum(layer.parameters for layer in layers if layer.name == "dense.0.linear"),
    }


def costs_of_layer(name: str) -> dict[str, Cost]:
    """A convolution, and the dense layer from the same inputs to the same outputs.

    The dense layer is made on torch's device meta, without memory.
    """
    inputs, outputs, side = MAPS[name]
    convolution = nn.Conv2d(inputs[0], outputs[0], side, padding="same")
    (layer,) = measure_layers(nn.Sequential(convolution), inputs)
    assert layer.output_shape == outputs
    dense = nn.Linear(prod(inputs), prod(outputs), device="meta")
    return {
        "convolution": {"parameters": layer.parameters, "multiply_adds": layer.multiply_adds},
        "dense": {
            "parameters": sum(weights.numel() for weights in dense.parameters()),
            "multiply_adds": dense.weight.numel(),
        },
    }


def scatter(costs: dict[str, Cost]) -> Scatter:
    """Parameters against multiply-adds, networks and layers."""
    return Scatter(
        "parameters and multiply-adds, grey images of 28x28",
        "parameters",
        "multiply-adds of one image",
        {
            name: (float(cost["parameters"]), float(cost["multiply_adds"]))
            for name, cost in costs.items()
        },
        alt="; ".join(
            f"{name}: {cost['parameters']:,} parameters, {cost['multiply_adds']:,} multiply-adds"
            for name, cost in costs.items()
        ),
    )


def more(case: str, one: Cost, other: Cost) -> Comparison:
    """Whether the first has more parameters than the second, as the notes say."""
    return Comparison(case, True, one["parameters"] > other["parameters"])


def measure(bench: Bench) -> Measurement:
    """Count networks and layers."""
    choices = [(kind, c) for kind in ("MLP", "CNN", "global average") for c in (1, 3)]
    counted = bench.run([Job(cost_of_network, {"kind": k, "channels": c}) for k, c in choices])
    networks = dict(zip(choices, counted, strict=True))
    layers = dict(
        zip(MAPS, bench.run([Job(costs_of_layer, {"name": n}) for n in MAPS]), strict=True)
    )
    mlp, cnn, average = (networks[kind, 1] for kind in ("MLP", "CNN", "global average"))
    colour_mlp, colour_cnn = networks["MLP", 3], networks["CNN", 3]
    costs = {"MLP": mlp, "CNN": cnn, "CNN with a global average": average}
    for name, pair in layers.items():
        costs[name] = pair["convolution"]
        costs[f"dense in place of {name}"] = pair["dense"]
    first = layers["convolution 1"]
    return Measurement(
        evidence={
            "B1a": [
                more("28x28 grey, the notes' MLP and CNN", mlp, cnn),
                more("28x28 colour, both", colour_mlp, colour_cnn),
                more("28x28 grey, CNN with a global average", mlp, average),
            ],
            "B1b": [
                more(f"in place of {n}", p["dense"], p["convolution"]) for n, p in layers.items()
            ],
        },
        finding=(
            f"Not this pair: on grey images the CNN has {cnn['parameters']:,} parameters, "
            f"{cnn['parameters'] / mlp['parameters']:.2f} times the MLP's {mlp['parameters']:,}, "
            f"and {cnn['multiply_adds'] / MILLION:.2f} M multiply-adds an image against "
            f"{mlp['multiply_adds'] / MILLION:.3f} M. {100 * cnn['dense'] / cnn['parameters']:.0f} "
            "% of its parameters are in its own dense layer; with a global average in place of the "
            f"flattening it has {average['parameters']:,}. On colour images it is the MLP that has "
            f"more ({colour_mlp['parameters']:,} against {colour_cnn['parameters']:,}). Layer for "
            f"layer the statement is right: a dense layer in place of the first convolution takes "
            f"{first['dense']['parameters'] / MILLION:.1f} M against "
            f"{first['convolution']['parameters']}."
        ),
        table=[
            {
                "on grey images": name,
                "parameters": cost["parameters"],
                "multiply-adds of one image": cost["multiply_adds"],
            }
            for name, cost in costs.items()
        ],
        charts=[scatter(costs)],
    )


CLAIM = Claim(
    id="B1",
    title="An MLP has more parameters than a CNN",
    statements=(
        Statement("B1a", "For the same images an MLP has more parameters than a CNN", Exact()),
        Statement(
            "B1b",
            "A dense layer has more parameters than the convolution in whose place it stands",
            Exact(),
        ),
    ),
    why="It is the notes' first reason for convolutions, and their reason why an MLP overfits.",
    method=(
        "The parameters of the notes' two networks are counted, with multiply-adds beside them. "
        "Then those of each convolution and of the dense layer that would join the same inputs "
        "with the same outputs."
    ),
    measure=measure,
)

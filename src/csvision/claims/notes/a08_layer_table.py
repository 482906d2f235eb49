"""A8: the layer table of the CNN on images of 3x28x28."""

from typing import Any

import torch

from csvision.claims.bench import Bench
from csvision.claims.charts import Bars
from csvision.claims.claim import Claim, Measurement, Statement
from csvision.claims.jobs import Job
from csvision.claims.rules import Comparison, Exact
from csvision.models.cnn import CNN
from csvision.models.summary import measure_layers

CLASSES = 10

TABLE = {
    "stages.0.convolution": (32, 28, 28),
    "stages.0.pool": (32, 14, 14),
    "stages.1.convolution": (64, 14, 14),
    "stages.1.pool": (64, 7, 7),
    "head": (3136,),
    "dense.0.linear": (64,),
    "logits": (CLASSES,),
}
"""The notes' table: what comes out of each layer."""

NAMES = {
    "stages.0.convolution": "convolution 1",
    "stages.0.pool": "pooling 1",
    "stages.1.convolution": "convolution 2",
    "stages.1.pool": "pooling 2",
    "head": "flatten",
    "dense.0.linear": "dense",
    "logits": "logits",
}

AXES = ("channels", "height", "width")

CLAIMED_PARAMETERS = {3: 220_810, 1: 220_234}
"""For colour and for grey images."""


def network_layers(channels: int) -> list[dict[str, Any]]:
    """What torch sees when an image passes the network with the table's layers."""
    torch.manual_seed(0)
    network = CNN((channels, 28, 28), CLASSES)
    return [
        {
            "name": layer.name,
            "parameters": layer.parameters,
            "multiply_adds": layer.multiply_adds,
            "shape": layer.output_shape,
        }
        for layer in measure_layers(network, (channels, 28, 28))
        if layer.name in TABLE
    ]


def shape_cases(layers: list[dict[str, Any]]) -> list[Comparison]:
    """The table's sizes, one by one; a vector has units alone."""
    cases = []
    for layer in layers:
        claimed, measured = TABLE[layer["name"]], layer["shape"]
        axes = AXES if len(claimed) > 1 else ("units",)
        cases += [
            Comparison(f"{NAMES[layer['name']]}: {axis}", one, other)
            for axis, one, other in zip(axes, claimed, measured, strict=True)
        ]
    return cases


def measure(bench: Bench) -> Measurement:
    """Send an image through the network and compare with the table."""
    found = dict(
        zip(
            CLAIMED_PARAMETERS,
            bench.run([Job(network_layers, {"channels": c}) for c in CLAIMED_PARAMETERS]),
            strict=True,
        )
    )
    totals = {c: sum(layer["parameters"] for layer in layers) for c, layers in found.items()}
    colour = {NAMES[layer["name"]]: layer for layer in found[3]}
    weighted = {name: float(row["parameters"]) for name, row in colour.items() if row["parameters"]}
    share = weighted["dense"] / totals[3]
    cases = shape_cases(found[3])
    return Measurement(
        evidence={
            "A8a": cases,
            "A8b": [
                Comparison(f"{channels} channels", claimed, totals[channels])
                for channels, claimed in CLAIMED_PARAMETERS.items()
            ],
        },
        finding=(
            f"All {len(cases)} sizes in the {len(colour)} rows are right. The network has "
            f"{totals[3]:,} parameters on colour images and {totals[1]:,} on grey ones; "
            f"{100 * share:.0f} % of them belong to the dense layer behind the flattening, and "
            f"{weighted['convolution 1']:,.0f} to the first convolution."
        ),
        table=[
            {
                "layer": name,
                "the notes": "x".join(map(str, TABLE[row["name"]])),
                "measured": "x".join(map(str, row["shape"])),
                "parameters": row["parameters"],
                "multiply-adds": row["multiply_adds"],
            }
            for name, row in colour.items()
        ],
        charts=[
            Bars(
                "parameters of the layers, three channels",
                "parameters",
                weighted,
                alt="; ".join(f"{name} {value:,.0f}" for name, value in weighted.items()),
            )
        ],
    )


CLAIM = Claim(
    id="A8",
    title="The layer table for 3x28x28",
    statements=(
        Statement(
            "A8a",
            "3x28x28 becomes 32x28x28, 32x14x14, 64x14x14, 64x7x7, 3136, 64 and 10, layer by layer",
            Exact(),
        ),
        Statement(
            "A8b",
            "That network has 220,810 parameters; on grey images, with one channel, 220,234",
            Exact(),
        ),
    ),
    why="The flattened 3136 must be known before the dense layer can be written down.",
    method=(
        "An image goes through csvision's CNN with these layers, and hooks on torch's modules "
        "record the shape that comes out of each. Parameters are counted module by module."
    ),
    measure=measure,
)

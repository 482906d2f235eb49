"""A8: the layer table of the CNN on images of 3x28x28."""

from typing import Any

import torch

from csvision import CNN, profile_layers
from csvision_claims.engine.charts import Bars
from csvision_claims.engine.claim import Claim, Measurement, Statement
from csvision_claims.engine.jobs import Job
from csvision_claims.engine.rules import Comparison, Exact
from csvision_claims.engine.runner import Runner

CLASSES = 10

LAYER_TABLE = {
    "stages.0.convolution": (32, 28, 28),
    "stages.0.pool": (32, 14, 14),
    "stages.1.convolution": (64, 14, 14),
    "stages.1.pool": (64, 7, 7),
    "global_pool": (3136,),
    "dense.0.linear": (64,),
    "logits": (CLASSES,),
}
"""The notes' table: the output shape of each layer."""

NAMES = {
    "stages.0.convolution": "convolution 1",
    "stages.0.pool": "pooling 1",
    "stages.1.convolution": "convolution 2",
    "stages.1.pool": "pooling 2",
    "global_pool": "flatten",
    "dense.0.linear": "dense",
    "logits": "logits",
}

AXES = ("channels", "height", "width")

CLAIMED_PARAMETERS = {3: 220_810, 1: 220_234}
"""For color and for gray images."""


def measure_layers(channels: int) -> list[dict[str, Any]]:
    """Return what torch records when one image passes through the layers of the table."""
    torch.manual_seed(0)
    network = CNN((channels, 28, 28), CLASSES)
    return [
        {
            "name": layer.name,
            "parameters": layer.parameters,
            "multiply_adds": layer.multiply_adds,
            "shape": layer.output_shape,
        }
        for layer in profile_layers(network, (channels, 28, 28))
        if layer.name in LAYER_TABLE
    ]


def shape_cases(layers: list[dict[str, Any]]) -> list[Comparison]:
    """Return a case for each size in the table; a vector has only units."""
    cases = []
    for layer in layers:
        claimed, measured = LAYER_TABLE[layer["name"]], layer["shape"]
        axes = AXES if len(claimed) > 1 else ("units",)
        cases += [
            Comparison(f"{NAMES[layer['name']]}: {axis}", one, other)
            for axis, one, other in zip(axes, claimed, measured, strict=True)
        ]
    return cases


def measure(runner: Runner) -> Measurement:
    """Pass an image through the network and compare it with the table."""
    found = dict(
        zip(
            CLAIMED_PARAMETERS,
            runner.run([Job(measure_layers, {"channels": c}) for c in CLAIMED_PARAMETERS]),
            strict=True,
        )
    )
    totals = {c: sum(layer["parameters"] for layer in layers) for c, layers in found.items()}
    color = {NAMES[layer["name"]]: layer for layer in found[3]}
    weighted = {name: float(row["parameters"]) for name, row in color.items() if row["parameters"]}
    share = weighted["dense"] / totals[3]
    cases = shape_cases(found[3])
    agreeing = sum(case.equal for case in cases)
    return Measurement(
        evidence={
            "A8a": cases,
            "A8b": [
                Comparison(f"{channels} channels", claimed, totals[channels])
                for channels, claimed in CLAIMED_PARAMETERS.items()
            ],
        },
        finding=(
            f"The table is right in {agreeing} of {len(cases)} sizes in {len(color)} rows. The "
            f"network has {totals[3]:,} parameters for color images and {totals[1]:,} for gray "
            f"images; {100 * share:.0f} % of them are in the dense layer after the flattening, "
            f"and only {weighted['convolution 1']:,.0f} in the first convolution."
        ),
        table=[
            {
                "layer": name,
                "the notes": "x".join(map(str, LAYER_TABLE[row["name"]])),
                "measured": "x".join(map(str, row["shape"])),
                "parameters": row["parameters"],
                "multiply-adds": row["multiply_adds"],
            }
            for name, row in color.items()
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
    title="The layer table of the CNN for 3x28x28",
    statements=(
        Statement(
            "A8a",
            "The layers of the CNN turn 3x28x28 into 32x28x28, 32x14x14, 64x14x14, 64x7x7, 3136, "
            "64 and 10",
            Exact(),
        ),
        Statement(
            "A8b",
            "The CNN of the layer table has 220,810 parameters for color images and 220,234 for "
            "gray images",
            Exact(),
        ),
    ),
    why="The flattened size 3136 must be known before the dense layer can be defined.",
    method=(
        "An image passes through csvision's CNN with these layers, and hooks on torch's modules "
        "record the output shape of each. Parameters are counted for each module."
    ),
    measure=measure,
)

"""B5: without padding the image shrinks and information is lost."""

import numpy as np

from csvision.claims.arms import Arm
from csvision.claims.bench import Bench
from csvision.claims.charts import Curves
from csvision.claims.claim import Claim, Measurement, Statement
from csvision.claims.paired import POINTS, band, differences, mean_of, score_table
from csvision.claims.rules import Comparison, Difference, Exact
from csvision.geometry import output_size

DEPTHS = (2, 4, 6)

PADDINGS = {
    "valid": "padding:valid",
    "zeros": "padding:1",
    "reflect": "padding:1,padding_mode:reflect",
    "full": "padding:full",
}

LAYER = "filters:8,pool:none,normalization:batch"
"""Normalised: without, learning rates that differ little spread by points over the seeds."""

FIRST = f"{{{LAYER},kernel_size:2,stride:2,padding:0}}"
"""From 28x28 to 14x14 without any padding."""


def arm(padding: str, depth: int, standardize: bool = True) -> Arm:
    """A network of `depth` layers with one padding, behind a common first layer."""
    layer = f"{{{LAYER},{PADDINGS[padding]}}}"
    stages = f"model.stages=[{','.join([FIRST, *[layer] * depth])}]"
    network = ("model=cnn", stages, "model.head=global_average", "model.hidden=[]", "epochs=12")
    if not standardize:
        return Arm(f"{padding}, {depth} layers, black is 0", network)
    # Zero is then a mean grey: padding with it is something else than more background.
    return Arm(f"{padding}, {depth} layers", (*network, "data.standardize=true"))


ARMS = [arm(padding, depth) for padding in PADDINGS for depth in DEPTHS]
BLACK = [arm(padding, DEPTHS[-1], standardize=False) for padding in ("valid", "zeros")]


def surviving(size: int, kernel_size: int = 3) -> int:
    """How many layers without padding an image survives."""
    layers = 0
    while (size := output_size(size, kernel_size)) >= 1:
        layers += 1
    return layers


def measure(bench: Bench) -> Measurement:
    """Train each padding at each depth."""
    arms = bench.tuned([*ARMS, *BLACK])
    runs = bench.train(arms)
    accuracy = {name: POINTS * mean_of(scores, "test/acc") for name, scores in runs.items()}
    deepest = DEPTHS[-1]

    def gain(padding: str, depth: int, suffix: str = "") -> list[float]:
        one, other = (f"{name}, {depth} layers{suffix}" for name in (padding, "valid"))
        return differences(runs[one], runs[other], "test/acc")

    black = gain("zeros", deepest, ", black is 0")
    series = []
    for padding in PADDINGS:
        columns = [
            [POINTS * run["test/acc"] for run in runs[f"{padding}, {depth} layers"]]
            for depth in DEPTHS
        ]
        series.append(band(padding, list(map(float, DEPTHS)), columns))
    return Measurement(
        evidence={
            "B5a": [
                Comparison("layers that 28 pixels survive", 13, surviving(28)),
                Comparison("pixels left after 13", 28 - 2 * 13, left(28, 13)),
                Comparison("pixels left after 1", 28 - 2, left(28, 1)),
            ],
            "B5b": gain("zeros", DEPTHS[0]),
            "B5c": gain("zeros", deepest),
            "B5d": gain("reflect", deepest),
            "B5e": gain("full", deepest),
        },
        finding=(
            f"At {deepest} layers {left(14, deepest)}x{left(14, deepest)} of 14x14 positions are "
            f"left without padding: {accuracy[f'valid, {deepest} layers']:.1f} % against "
            f"{accuracy[f'zeros, {deepest} layers']:.1f} % with zeros, "
            f"{accuracy[f'reflect, {deepest} layers']:.1f} % with reflection and "
            f"{accuracy[f'full, {deepest} layers']:.1f} % with full padding; where zero is the "
            f"garments' own black background zeros change it by {np.mean(black):+.1f} points. "
            f"At {DEPTHS[0]} layers it is {accuracy[f'valid, {DEPTHS[0]} layers']:.1f} % without "
            f"padding and {accuracy[f'zeros, {DEPTHS[0]} layers']:.1f} % with zeros."
        ),
        table=score_table(arms, runs, {"test/acc": "test accuracy"}),
        charts=[
            Curves(
                "accuracy by depth and padding",
                "3x3 layers on 14x14 maps",
                "test accuracy, %",
                series,
                alt="; ".join(f"{name} {value:.1f} %" for name, value in accuracy.items()),
            )
        ],
        arms=bench.complete(arms),
    )


def left(size: int, layers: int) -> int:
    """The side of the map after so many 3x3 layers without padding."""
    for _ in range(layers):
        size = output_size(size, 3)
    return size


CLAIM = Claim(
    id="B5",
    title="Without padding the image shrinks and information is lost",
    statements=(
        Statement(
            "B5a",
            "Every 3x3 layer without padding takes two pixels: 28 survive 13 layers",
            Exact(),
        ),
        Statement(
            "B5b",
            "Two layers: zero padding gains over a point of accuracy",
            Difference(1.0, "points"),
        ),
        Statement(
            "B5c",
            "Six layers, 14 pixels to 2 without padding: zero padding gains over a point",
            Difference(1.0, "points"),
        ),
        Statement(
            "B5d",
            "Six layers: padding by reflection gains over a point",
            Difference(1.0, "points"),
        ),
        Statement("B5e", "Six layers: full padding gains over a point", Difference(1.0, "points")),
    ),
    why="It is why padding is taught; that maps shrink is arithmetic, that it hurts is not.",
    method=(
        "Two, four and six 3x3 layers of 8 filters, batch-normalised, on 14x14 maps with each "
        "padding, and a global average as head, so that the head does not shrink with the map. "
        "Images are standardised: zero is a mean grey and not the garments' black background."
    ),
    measure=measure,
    minutes=65,
)

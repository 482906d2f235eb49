"""B5: without padding the image shrinks and information is lost."""

from collections.abc import Mapping, Sequence

from csvision import output_size
from csvision_claims.engine.arms import Arm
from csvision_claims.engine.charts import Curves, Series
from csvision_claims.engine.claim import (
    PREPARE_FASHION_MNIST,
    Claim,
    Measurement,
    Statement,
    conclude,
)
from csvision_claims.engine.paired import (
    POINTS,
    accuracy_table,
    column_by_arm,
    mean_ci_series,
    paired_differences,
)
from csvision_claims.engine.rules import Comparison, Difference, Exact
from csvision_claims.engine.runner import Runner

DEPTHS = (2, 4, 6)

PADDINGS = {
    "valid": "padding:valid",
    "zeros": "padding:1",
    "reflect": "padding:1,padding_mode:reflect",
    "full": "padding:full",
}

LAYER = "filters:8,pool:none,normalization:batch"
"""Batch-normalized: otherwise accuracy differs by points between seeds and learning rates."""

FIRST = f"{{{LAYER},kernel_size:2,stride:2,padding:0}}"
"""From 28x28 to 14x14 without any padding."""


def make_arm(padding: str, depth: int, normalize: bool = True) -> Arm:
    """Return a network of `depth` layers with one kind of padding, after a common first layer."""
    layer = f"{{{LAYER},{PADDINGS[padding]}}}"
    stages = f"model.stages=[{','.join([FIRST, *[layer] * depth])}]"
    network = ("model=cnn", stages, "model.global_pool=avg", "model.hidden=[]", "epochs=12")
    if not normalize:
        return Arm(f"{padding}, {depth} layers, black is 0", network)
    # Zero is then a mean gray, so that zero padding does not simply extend the black background.
    return Arm(f"{padding}, {depth} layers", (*network, "data.normalize=true"))


ARMS = [make_arm(padding, depth) for padding in PADDINGS for depth in DEPTHS]
BLACK = [make_arm(padding, DEPTHS[-1], normalize=False) for padding in ("valid", "zeros")]


def count_surviving_layers(size: int) -> int:
    """Return how many 3x3 layers without padding an image survives."""
    layers = 0
    while (size := output_size(size, 3)) >= 1:
        layers += 1
    return layers


def side_after(size: int, layers: int) -> int:
    """Return the side of the map after a number of 3x3 layers without padding."""
    for _ in range(layers):
        size = output_size(size, 3)
    return size


def measure(runner: Runner) -> Measurement:
    """Train each kind of padding at each depth."""
    arms = runner.tune_lr([*ARMS, *BLACK])
    runs = runner.train(arms)
    table = accuracy_table(arms, runs, {"test/acc": "test accuracy"})
    deepest = DEPTHS[-1]

    def gain(padding: str, depth: int) -> list[float]:
        one, other = (f"{name}, {depth} layers" for name in (padding, "valid"))
        return paired_differences(runs[one], runs[other], "test/acc")

    series = []
    for padding in PADDINGS:
        columns = [
            [POINTS * run["test/acc"] for run in runs[f"{padding}, {depth} layers"]]
            for depth in DEPTHS
        ]
        series.append(mean_ci_series(padding, list(map(float, DEPTHS)), columns))
    return Measurement(
        evidence={
            "B5a": [
                Comparison("layers that 28 pixels survive", 13, count_surviving_layers(28)),
                Comparison("pixels left after 13", 28 - 2 * 13, side_after(28, 13)),
                Comparison("pixels left after 1", 28 - 2, side_after(28, 1)),
            ],
            "B5b": gain("zeros", DEPTHS[0]),
            "B5c": gain("zeros", deepest),
            "B5d": gain("reflect", deepest),
            "B5e": gain("full", deepest),
        },
        finding=describe(table),
        table=table,
        charts=[draw_curves(series, table)],
        arms=runner.with_data(arms),
    )


def describe(table: Sequence[Mapping[str, str | float]]) -> str:
    """Return the finding."""
    accuracy = column_by_arm(table, "test accuracy, %")
    first, deepest = DEPTHS[0], DEPTHS[-1]
    deep = {padding: accuracy[f"{padding}, {deepest} layers"] for padding in PADDINGS}
    shallow = {padding: accuracy[f"{padding}, {first} layers"] for padding in PADDINGS}
    black = (
        accuracy[f"zeros, {deepest} layers, black is 0"]
        - accuracy[f"valid, {deepest} layers, black is 0"]
    )
    side = side_after(14, deepest)
    message = conclude(
        "The image shrinks without padding, but the accuracy is not lower.",
        supported=max(deep.values()) - deep["valid"] < 1
        and max(shallow.values()) - shallow["valid"] < 1,
    )
    return (
        f"{message} After {deepest} layers without padding, {side}x{side} of 14x14 positions are "
        f"left: the accuracy is {deep['valid']:.1f} %, against {deep['zeros']:.1f} % with zero "
        f"padding, {deep['reflect']:.1f} % with reflection and {deep['full']:.1f} % with full "
        "padding. Where zero is the black background of the garments, zero padding changes the "
        f"accuracy by {black:+.1f} points. After {first} layers it is {shallow['valid']:.1f} % "
        f"without padding and {shallow['zeros']:.1f} % with zeros."
    )


def draw_curves(series: list[Series], table: Sequence[Mapping[str, str | float]]) -> Curves:
    """Show accuracy over depth."""
    accuracy = column_by_arm(table, "test accuracy, %")
    return Curves(
        "accuracy by depth and padding",
        "3x3 layers on 14x14 maps",
        "test accuracy, %",
        series,
        alt="; ".join(f"{name} {value:.1f} %" for name, value in accuracy.items()),
    )


CLAIM = Claim(
    id="B5",
    title="Without padding the image shrinks and information is lost",
    statements=(
        Statement(
            "B5a",
            "Each 3x3 layer without padding removes two pixels, so that 28 pixels survive 13 "
            "layers",
            Exact(),
        ),
        Statement(
            "B5b",
            "With two 3x3 layers, zero padding raises the accuracy by more than 1 point",
            Difference(1.0, "points"),
        ),
        Statement(
            "B5c",
            "With six 3x3 layers, which shrink 14 pixels to 2, zero padding raises the accuracy by "
            "more than 1 point",
            Difference(1.0, "points"),
        ),
        Statement(
            "B5d",
            "With six 3x3 layers, padding by reflection raises the accuracy by more than 1 point",
            Difference(1.0, "points"),
        ),
        Statement(
            "B5e",
            "With six 3x3 layers, full padding raises the accuracy by more than 1 point",
            Difference(1.0, "points"),
        ),
    ),
    why="It is the reason for padding; that maps shrink is arithmetic, that it hurts is not.",
    method=(
        "Two, four and six batch-normalized 3x3 layers of 8 filters are trained on 14x14 maps with "
        "each kind of padding; the head is a global average, so that it does not shrink with the "
        "map. Images are normalized: zero is a mean gray, not the garments' black background."
    ),
    measure=measure,
    setup=(PREPARE_FASHION_MNIST,),
)

"""B8: strides are needed for high-level features."""

from collections.abc import Mapping, Sequence

import numpy as np

from csvision import CNNConfig
from csvision_claims.engine.arms import Arm, load_arm_config
from csvision_claims.engine.charts import Bars, Panel, Panels
from csvision_claims.engine.claim import Claim, Measurement, Statement, conclude
from csvision_claims.engine.paired import accuracy_table, column_by_arm, paired_differences
from csvision_claims.engine.rules import Difference
from csvision_claims.engine.runner import Runner
from csvision_claims.measuring.dots import DISTANCES, FILE, ROWS, SIDE, make_dots, write_dots

STAGES = {
    "two layers": [""] * 2,
    "a stride, two layers": ["stride:2", ""],
    "dilation, two layers": ["", "dilation:2,padding:2"],
    "depth, three layers": [""] * 3,
}

LAYER = "filters:16,pool:none,padding_mode:circular,normalization:batch"
"""Batch-normalized: otherwise training fails for some seeds although the network is able to."""

DATA = ("data=csv", f"data.csv={FILE}", "data.val_size=0")
TUNING_DATA = ("data=csv", f"data.csv={FILE}", "data.val_size=0.2")


def make_arm(name: str) -> Arm:
    """Return convolutions of 16 filters on a torus, with a global maximum as the head."""
    layers = [",".join(filter(None, (LAYER, options))) for options in STAGES[name]]
    stages = f"model.stages=[{','.join(f'{{{layer}}}' for layer in layers)}]"
    head = ("model.global_pool=max", "model.hidden=[]")
    return Arm(name, ("model=cnn", stages, *head, "epochs=15"))


def receptive_field(arm: Arm) -> int:
    """Return the side of the square of pixels that one value of the last map depends on.

    Araujo, Norris and Sim, "Computing receptive fields of convolutional neural networks" (2019).
    """
    model = load_arm_config(arm.override(*DATA)).model
    assert isinstance(model, CNNConfig)
    side, step = 1, 1
    for stage in model.stages:
        side += stage.dilation * (stage.kernel_size - 1) * step
        step *= stage.stride
    return side


def measure(runner: Runner) -> Measurement:
    """Classify two distances with one small receptive field and three large ones."""
    write_dots()
    quick = () if runner.profile.full else ("debug.limit_rows=64", "epochs=1")
    data = (*DATA, *quick)
    arms = runner.tune_lr([make_arm(name) for name in STAGES], (*TUNING_DATA, *quick))
    runs = runner.train(arms, data=data)
    plain, strides, dilation, depth = (runs[name] for name in STAGES)
    fields = {arm.name: receptive_field(arm) for arm in arms}
    table = [
        {**row, "receptive field": fields[str(row["arm"])]}
        for row in accuracy_table(arms, runs, {"test/acc": "test accuracy"})
    ]
    return Measurement(
        evidence={
            "B8a": paired_differences(strides, dilation, "test/acc"),
            "B8b": paired_differences(strides, depth, "test/acc"),
            "B8c": paired_differences(dilation, plain, "test/acc"),
        },
        finding=describe(table),
        table=table,
        charts=[
            draw_bars(table),
            draw_examples(),
        ],
        arms=runner.with_data(arms, data),
    )


def describe(table: Sequence[Mapping[str, str | float]]) -> str:
    """Return the finding."""
    accuracy = column_by_arm(table, "test accuracy, %")
    fields = column_by_arm(table, "receptive field")
    small, *large = accuracy.values()
    message = conclude(
        "The receptive field decides, not the stride.",
        supported=min(large) > small + 10 and max(large) < min(large) + 10,
    )
    return (
        f"{message} The dots are {' or '.join(map(str, DISTANCES.values()))} pixels apart. The "
        "distance is classified correctly in "
        + ", ".join(
            f"{value:.1f} % ({name}, receptive field {fields[name]:.0f} pixels)"
            for name, value in accuracy.items()
        )
        + " of the test images."
    )


def draw_bars(table: Sequence[Mapping[str, str | float]]) -> Bars:
    """Show the accuracy of each arm."""
    accuracy = column_by_arm(table, "test accuracy, %")
    fields = column_by_arm(table, "receptive field")
    return Bars(
        "classifying the distance of two dots",
        "% correct (50 % is chance)",
        {
            f"{name}, receptive field {fields[name]:.0f} px": value
            for name, value in accuracy.items()
        },
        alt="; ".join(f"{name} {value:.1f} %" for name, value in accuracy.items()),
    )


def draw_examples() -> Panels:
    """Show the first image of each class."""
    images = make_dots(2).drop(columns="distance").to_numpy(dtype=np.int64)
    return Panels(
        "an image of each class",
        [
            Panel(f"{name}: {distance} pixels", pixels.reshape(SIDE, SIDE).tolist(), 0, 255)
            for (name, distance), pixels in zip(DISTANCES.items(), images, strict=True)
        ],
        alt=f"{len(images)} images, each with 2 bright dots on faint noise",
    )


CLAIM = Claim(
    id="B8",
    title="Strides are needed for high-level features",
    statements=(
        Statement(
            "B8a",
            "A network with a stride classifies distant dots more than 10 points better than one "
            "with dilation and the same receptive field",
            Difference(10.0, "points"),
        ),
        Statement(
            "B8b",
            "A network with a stride classifies distant dots more than 10 points better than a "
            "deeper one with the same receptive field",
            Difference(10.0, "points"),
        ),
        Statement(
            "B8c",
            "Without strides, a receptive field that spans the nearer dots classifies them over 10 "
            "points better than one that does not",
            Difference(10.0, "points"),
        ),
    ),
    why=(
        "Strides are one way to enlarge the receptive field. If they were needed, dilation and "
        "depth would fail."
    ),
    method=(
        f"{ROWS:,} images of two dots on a torus, {' or '.join(map(str, DISTANCES.values()))} "
        "pixels apart, 20 % of them for testing, are classified by networks whose head takes the "
        "maximum of each map over all positions, so that only the receptive field can connect two "
        "positions. Two 3x3 layers have a receptive field of 5 pixels, too small for both "
        "distances; with a stride, dilation or a third layer it is 7, and all layers are "
        "batch-normalized, so that networks learn what their receptive field allows."
    ),
    measure=measure,
    setup=("python -m csvision_claims.measuring.dots",),
)

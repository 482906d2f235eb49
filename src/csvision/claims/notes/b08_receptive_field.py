"""B8: strides are needed for high-level features."""

import numpy as np

from csvision.claims.arms import Arm, settings_of
from csvision.claims.bench import Bench
from csvision.claims.charts import Bars, Panel, Panels
from csvision.claims.claim import Claim, Measurement, Statement
from csvision.claims.measuring.dots import DISTANCES, FILE, ROWS, SIDE, dots, write_dots
from csvision.claims.paired import POINTS, differences, mean_of, score_table
from csvision.claims.rules import Difference
from csvision.schema import CNN

STAGES = {
    "two layers": [""] * 2,
    "a stride, two layers": ["stride:2", ""],
    "dilation, two layers": ["", "dilation:2,padding:2"],
    "depth, three layers": [""] * 3,
}

LAYER = "filters:16,pool:none,padding_mode:circular,normalization:batch"
"""Normalised: without, some seeds of a network that can tell the dots apart stay at chance."""

DATA = ("data=csv", f"data.csv={FILE}", "data.val_size=0")
TUNING = ("data=csv", f"data.csv={FILE}", "data.val_size=0.2")


def arm(name: str) -> Arm:
    """Convolutions of 16 filters on a torus, and for each class the largest logit anywhere."""
    layers = [",".join(filter(None, (LAYER, words))) for words in STAGES[name]]
    stages = f"model.stages=[{','.join(f'{{{layer}}}' for layer in layers)}]"
    head = ("model.head=global_max", "model.hidden=[]")
    return Arm(name, ("model=cnn", stages, *head, "epochs=15"))


def receptive_field(arm: Arm) -> int:
    """The side of the square of pixels that one value of the last map depends on.

    Araujo, Norris and Sim, "Computing receptive fields of convolutional neural networks" (2019).
    """
    model = settings_of(arm.but(*DATA)).model
    assert isinstance(model, CNN)
    reach, step = 1, 1
    for stage in model.stages:
        reach += stage.dilation * (stage.kernel_size - 1) * step
        step *= stage.stride
    return reach


def measure(bench: Bench) -> Measurement:
    """Tell two distances apart with a small receptive field and with three large ones."""
    write_dots()
    quick = () if bench.profile.full else ("debug.rows=64", "epochs=1")
    data, tuning = (*DATA, *quick), (*TUNING, *quick)
    arms = bench.tuned([arm(name) for name in STAGES], tuning)
    runs = bench.train(arms, data=data)
    plain, strides, dilation, depth = (runs[name] for name in STAGES)
    means = {name: POINTS * mean_of(scores, "test/acc") for name, scores in runs.items()}
    fields = {one.name: receptive_field(one) for one in arms}
    return Measurement(
        evidence={
            "B8a": differences(strides, dilation, "test/acc"),
            "B8b": differences(strides, depth, "test/acc"),
            "B8c": differences(dilation, plain, "test/acc"),
        },
        finding=(
            f"The dots are {' or '.join(map(str, DISTANCES.values()))} pixels apart. They are told "
            "apart in "
            + ", ".join(
                f"{value:.1f} % ({name}, {fields[name]} pixels in view)"
                for name, value in means.items()
            )
            + "."
        ),
        table=[
            {**row, "receptive field": fields[str(row["arm"])]}
            for row in score_table(arms, runs, {"test/acc": "test accuracy"})
        ],
        charts=[
            Bars(
                "telling the two distances apart",
                "% right (50 % is chance)",
                {f"{name}, {fields[name]} px in view": means[name] for name in STAGES},
                alt="; ".join(f"{name} {value:.1f} %" for name, value in means.items()),
            ),
            Panels("an image of each class", examples(), alt="Two bright dots on faint noise"),
        ],
        arms=bench.complete(arms, data),
    )


def examples() -> list[Panel]:
    """The first image of each class."""
    table = dots(2)
    return [
        Panel(f"{name}: {distance} pixels", row.reshape(SIDE, SIDE).tolist(), 0, 255)
        for (name, distance), row in zip(
            DISTANCES.items(), table.drop(columns="distance").to_numpy(dtype=np.int64), strict=True
        )
    ]


CLAIM = Claim(
    id="B8",
    title="Strides are needed for high-level features",
    statements=(
        Statement(
            "B8a",
            "Strides see what dilation with the same receptive field does not: over 10 points",
            Difference(10.0, "points"),
        ),
        Statement(
            "B8b",
            "Strides see what depth with the same receptive field does not: over 10 points",
            Difference(10.0, "points"),
        ),
        Statement(
            "B8c",
            "The receptive field decides: without strides, one that spans the nearer dots is "
            "over 10 points better than one that does not",
            Difference(10.0, "points"),
        ),
    ),
    why="Strides are one way to look further; if they were needed, dilation and depth would fail.",
    method=(
        f"{ROWS:,} images of two dots on a torus, {' or '.join(map(str, DISTANCES.values()))} "
        "pixels apart, 20 % of them for the test, are told apart by networks whose head takes the "
        "largest value of each map at any position: nothing but the receptive field can join two "
        "places. Two 3x3 layers see 5 pixels, too few for either pair; with a stride, dilation or "
        "a third layer they see 7. All layers are batch-normalised, so that what a network can see "
        "is what it learns."
    ),
    measure=measure,
    minutes=13,
)

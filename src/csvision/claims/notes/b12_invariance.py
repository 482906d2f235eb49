"""B12: pooling gives translation invariance."""

from collections.abc import Sequence
from statistics import fmean
from typing import Any

import torch
from torch import Tensor

from csvision.claims.arms import Arm
from csvision.claims.bench import Bench
from csvision.claims.charts import Curves, Series
from csvision.claims.claim import Claim, Measurement, Statement
from csvision.claims.measuring.looks import images_of, labels_of
from csvision.claims.paired import POINTS, band, score_table
from csvision.claims.rules import Difference
from csvision.claims.training import Scores
from csvision.classifier import Classifier
from csvision.run.train import Trained

BORDER = 6
"""Black pixels around the garment: it stays whole under every shift."""

SHIFTS = range(BORDER + 1)

DIRECTIONS = ((0, 1), (0, -1), (1, 0), (-1, 0))

STRIDE = "[{filters:8,stride:2,pool:none},{filters:16,stride:2,pool:none}]"
MAX = "[{filters:8,pool:max},{filters:16,pool:max}]"
AVERAGE = "[{filters:8,pool:avg},{filters:16,pool:avg}]"
GLOBAL = "[{filters:8,pool:max},{filters:16,pool:max},{filters:32,pool:none}]"

COMMON = (f"data.border={BORDER}", "epochs=10")

ARMS = (
    Arm("MLP", ("model=mlp", "model.hidden=[64,64]", *COMMON)),
    Arm("stride", ("model=cnn", f"model.stages={STRIDE}", *COMMON)),
    Arm("max pooling", ("model=cnn", f"model.stages={MAX}", *COMMON)),
    Arm("average pooling", ("model=cnn", f"model.stages={AVERAGE}", *COMMON)),
    Arm(
        "global average",
        (
            "model=cnn",
            f"model.stages={GLOBAL}",
            "model.head=global_average",
            "model.hidden=[]",
            *COMMON,
        ),
    ),
)


def agreement(trained: Trained) -> dict[str, Any]:
    """How often the class of a shifted test image is that of the image where it was.

    Every image goes one way of four, its number deciding which; one entry for each shift in
    pixels. `shifted/acc` is how often it is the right one.
    """
    part = trained.parts.test
    canvas, labels = trained.classifier.arrangement(images_of(part)), labels_of(part)
    found = [classes_of(trained.classifier, shifted(canvas, pixels)) for pixels in SHIFTS]
    return {
        "agreement": [float((classes == found[0]).double().mean()) for classes in found],
        "shifted/acc": [float((classes == labels).double().mean()) for classes in found],
    }


@torch.no_grad()
def classes_of(classifier: Classifier, canvas: Tensor) -> Tensor:
    """The most probable class of each image on the canvas (N,)."""
    batches = torch.split(canvas, 500)
    return torch.cat([classifier.eval().logits(batch).argmax(1) for batch in batches])


def shifted(images: Tensor, pixels: int) -> Tensor:
    """Images (N, C, H, W), image n moved into direction n modulo 4; the border comes around."""
    moved = torch.empty_like(images)
    for index, (down, right) in enumerate(DIRECTIONS):
        moved[index::4] = images[index::4].roll((down * pixels, right * pixels), (2, 3))
    return moved


def gain(first: Sequence[Scores], second: Sequence[Scores], shifts: Sequence[int]) -> list[float]:
    """By how many points the first arm agrees more, meaned over shifts, seed by seed."""
    return [
        POINTS * fmean(one["agreement"][k] - two["agreement"][k] for k in shifts)
        for one, two in zip(first, second, strict=True)
    ]


def lost(runs: Sequence[Scores], shift: int) -> list[float]:
    """The points of agreement that a shift costs, seed by seed."""
    return [POINTS * (1 - run["agreement"][shift]) for run in runs]


def curve(name: str, runs: Sequence[Scores]) -> Series:
    """Agreement against shift with its interval."""
    values = [[POINTS * run["agreement"][shift] for run in runs] for shift in SHIFTS]
    return band(name, list(map(float, SHIFTS)), values)


def measure(bench: Bench) -> Measurement:
    """Train on centred garments, then shift the test images."""
    arms = bench.tuned(ARMS)
    runs = bench.train(arms, agreement)
    at = {
        arm.name: [POINTS * fmean(r["agreement"][k] for r in runs[arm.name]) for k in SHIFTS]
        for arm in arms
    }
    return Measurement(
        evidence={
            "B12a": gain(runs["max pooling"], runs["stride"], (1, 2)),
            "B12b": gain(runs["average pooling"], runs["stride"], (1, 2)),
            "B12c": [-loss for loss in lost(runs["max pooling"], 4)],
            "B12d": gain(runs["global average"], runs["max pooling"], (4,)),
        },
        finding=(
            f"One pixel changes the class of {100 - at['stride'][1]:.0f} % of the images for the "
            f"network with strides, of {100 - at['max pooling'][1]:.0f} % with max pooling; four "
            f"pixels of {100 - at['stride'][4]:.0f} % and {100 - at['max pooling'][4]:.0f} %. "
            f"Averaging over all positions keeps {at['global average'][4]:.0f} % at four pixels, "
            f"which is a multiple of its strides, and {at['global average'][6]:.0f} % at six."
        ),
        table=[
            {**row, **{f"agreement at {k} px, %": at[str(row["arm"])][k] for k in (1, 2, 4, 6)}}
            for row in score_table(arms, runs, {"test/acc": "test accuracy"})
        ],
        charts=[
            Curves(
                "predictions that stay the same when the garment moves",
                "shift in pixels",
                "agreement, %",
                [curve(arm.name, runs[arm.name]) for arm in arms],
                alt="; ".join(
                    f"{name}: {values[1]:.0f} % at 1 px, {values[4]:.0f} % at 4 px"
                    for name, values in at.items()
                ),
            )
        ],
        arms=bench.complete(arms),
    )


CLAIM = Claim(
    id="B12",
    title="Pooling gives translation invariance",
    statements=(
        Statement(
            "B12a",
            "Max pooling keeps the prediction under shifts of 1 and 2 pixels better than strides "
            "do: over 3 points more agreement",
            Difference(3.0, "points"),
        ),
        Statement(
            "B12b",
            "Average pooling does so too: over 3 points more agreement than strides",
            Difference(3.0, "points"),
        ),
        Statement(
            "B12c",
            "Max pooling makes the network invariant: a shift of 4 pixels costs less than 3 points "
            "of agreement",
            Difference(-3.0, "points"),
        ),
        Statement(
            "B12d",
            "Averaging over all positions does what local pooling does not: over 3 points more "
            "agreement at 4 pixels",
            Difference(3.0, "points"),
        ),
    ),
    why=(
        "It is the notes' main reason for pooling, and the one most often repeated. Flattened maps "
        "still tell where everything is."
    ),
    method=(
        "Garments centred on a black canvas of 40x40, so that none is cut; trained without shifts. "
        "The 10,000 test images are then shifted by 1 to 6 pixels, a quarter of them each way, and "
        "every prediction is compared with the one for the image in its place."
    ),
    measure=measure,
    minutes=23,
)

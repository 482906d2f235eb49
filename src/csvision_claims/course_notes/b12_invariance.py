"""B12: pooling gives translation invariance."""

from collections.abc import Mapping, Sequence
from statistics import fmean
from typing import Any

import torch
from torch import Tensor

from csvision import Classifier, TrainResult
from csvision_claims.engine.arms import Arm
from csvision_claims.engine.charts import Curves, Series
from csvision_claims.engine.claim import (
    PREPARE_FASHION_MNIST,
    Claim,
    Measurement,
    Statement,
    conclude,
)
from csvision_claims.engine.paired import POINTS, accuracy_table, column_by_arm, mean_ci_series
from csvision_claims.engine.rules import Difference
from csvision_claims.engine.runner import Runner
from csvision_claims.engine.training import Metrics
from csvision_claims.measuring.subsets import subset_images, subset_labels

PAD = 6
"""Black pixels around the garment; it is not cut under any shift."""

SHIFTS = range(PAD + 1)

SHOWN_SHIFTS = (1, 2, 4, 6)

DIRECTIONS = ((0, 1), (0, -1), (1, 0), (-1, 0))

STRIDE = "[{filters:8,stride:2,pool:none},{filters:16,stride:2,pool:none}]"
MAX = "[{filters:8,pool:max},{filters:16,pool:max}]"
AVERAGE = "[{filters:8,pool:avg},{filters:16,pool:avg}]"
GLOBAL = "[{filters:8,pool:max},{filters:16,pool:max},{filters:32,pool:none}]"

COMMON = (f"data.pad={PAD}", "epochs=10")

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
            "model.global_pool=avg",
            "model.hidden=[]",
            *COMMON,
        ),
    ),
)


def shift_agreement(trained: TrainResult) -> dict[str, Any]:
    """Return how often shifted test images keep their predicted class, by shift in pixels.

    The index of an image decides which of four directions it is shifted in. `shifted/acc` is the
    accuracy on the shifted images.
    """
    subset = trained.splits.test
    canvas = trained.classifier.transform(subset_images(subset))
    labels = subset_labels(subset)
    classes = [
        predict_canvas(trained.classifier, shift_images(canvas, pixels)) for pixels in SHIFTS
    ]
    return {
        "agreement": [float((shifted == classes[0]).double().mean()) for shifted in classes],
        "shifted/acc": [float((shifted == labels).double().mean()) for shifted in classes],
    }


@torch.no_grad()
def predict_canvas(classifier: Classifier, canvas: Tensor) -> Tensor:
    """Return the most probable class of images that are already padded (N,)."""
    batches = torch.split(canvas, 500)
    return torch.cat([classifier.eval().forward_transformed(batch).argmax(1) for batch in batches])


def shift_images(images: Tensor, pixels: int) -> Tensor:
    """Shift images (N, C, H, W) circularly, image n in direction n modulo 4."""
    shifted = torch.empty_like(images)
    for index, (down, right) in enumerate(DIRECTIONS):
        shifted[index::4] = images[index::4].roll((down * pixels, right * pixels), (2, 3))
    return shifted


def agreement_gain(
    first: Sequence[Metrics], second: Sequence[Metrics], shifts: Sequence[int]
) -> list[float]:
    """Return, seed by seed, how many points more the first arm agrees, averaged over shifts."""
    return [
        POINTS * fmean(one["agreement"][k] - two["agreement"][k] for k in shifts)
        for one, two in zip(first, second, strict=True)
    ]


def agreement_loss(runs: Sequence[Metrics], shift: int) -> list[float]:
    """Return, seed by seed, the points of agreement that a shift costs."""
    return [POINTS * (1 - run["agreement"][shift]) for run in runs]


def agreement_series(name: str, runs: Sequence[Metrics]) -> Series:
    """Return agreement over shift with its interval."""
    values = [[POINTS * run["agreement"][shift] for run in runs] for shift in SHIFTS]
    return mean_ci_series(name, list(map(float, SHIFTS)), values)


def measure(runner: Runner) -> Measurement:
    """Train on centered garments, then shift the test images."""
    arms = runner.tune_lr(ARMS)
    runs = runner.train(arms, shift_agreement)
    table = [
        {
            **row,
            **{
                f"agreement at {k} px, %": POINTS
                * fmean(run["agreement"][k] for run in runs[str(row["arm"])])
                for k in SHOWN_SHIFTS
            },
        }
        for row in accuracy_table(arms, runs, {"test/acc": "test accuracy"})
    ]
    return Measurement(
        evidence={
            "B12a": agreement_gain(runs["max pooling"], runs["stride"], (1, 2)),
            "B12b": agreement_gain(runs["average pooling"], runs["stride"], (1, 2)),
            "B12c": [-loss for loss in agreement_loss(runs["max pooling"], 4)],
            "B12d": agreement_gain(runs["global average"], runs["max pooling"], (4,)),
        },
        finding=describe(table),
        table=table,
        charts=[draw_curves([agreement_series(arm.name, runs[arm.name]) for arm in arms], table)],
        arms=runner.with_data(arms),
    )


def describe(table: Sequence[Mapping[str, str | float]]) -> str:
    """Return the finding."""
    one, four, six = (column_by_arm(table, f"agreement at {k} px, %") for k in (1, 4, 6))
    message = conclude(
        "Local pooling makes predictions slightly more stable, a global average much more.",
        supported=one["max pooling"] > one["stride"]
        and four["max pooling"] < 97
        and four["global average"] > four["max pooling"] + 3,
    )
    return (
        f"{message} A shift by one pixel changes the predicted class of {100 - one['stride']:.0f} "
        f"% of the images for the network with strides and of {100 - one['max pooling']:.0f} % "
        f"with max pooling; a shift by four pixels of {100 - four['stride']:.0f} % and "
        f"{100 - four['max pooling']:.0f} %. With a global average "
        f"{four['global average']:.0f} % keep their class at four pixels, a multiple of the "
        f"network's total stride, and {six['global average']:.0f} % at six."
    )


def draw_curves(series: list[Series], table: Sequence[Mapping[str, str | float]]) -> Curves:
    """Show the agreement over the shift."""
    one, four = (column_by_arm(table, f"agreement at {k} px, %") for k in (1, 4))
    return Curves(
        "predictions that stay the same when the garment is shifted",
        "shift, pixels",
        "agreement, %",
        series,
        alt="; ".join(
            f"{name}: {one[name]:.0f} % at 1 px, {four[name]:.0f} % at 4 px" for name in one
        ),
    )


CLAIM = Claim(
    id="B12",
    title="Pooling gives translation invariance",
    statements=(
        Statement(
            "B12a",
            "Under shifts of 1 and 2 pixels, more than 3 points more predictions are unchanged "
            "with max pooling than with strides",
            Difference(3.0, "points"),
        ),
        Statement(
            "B12b",
            "Under shifts of 1 and 2 pixels, more than 3 points more predictions are unchanged "
            "with average pooling than with strides",
            Difference(3.0, "points"),
        ),
        Statement(
            "B12c",
            "With max pooling, a shift of 4 pixels changes less than 3 % of the predictions",
            Difference(-3.0, "points"),
        ),
        Statement(
            "B12d",
            "Under a shift of 4 pixels, more than 3 points more predictions are unchanged with a "
            "global average than with max pooling",
            Difference(3.0, "points"),
        ),
    ),
    why=(
        "It is the notes' main reason for pooling, and the one most often repeated. Flattened maps "
        "still contain all positions."
    ),
    method=(
        "Networks are trained on garments centered on a black canvas of 40x40, without shifts. The "
        "10,000 test images are then shifted by 1 to 6 pixels, a quarter of them in each "
        "direction, and every prediction is compared with that for the unshifted image."
    ),
    measure=measure,
    setup=(PREPARE_FASHION_MNIST,),
)

"""B14: max pooling enhances features."""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from csvision import TrainResult, impulse_noise, read_table
from csvision_claims.engine.arms import Arm
from csvision_claims.engine.charts import Bars, Panel, Panels
from csvision_claims.engine.claim import (
    PREPARE_FASHION_MNIST,
    Claim,
    Measurement,
    Statement,
    conclude,
)
from csvision_claims.engine.paired import accuracy_table, column_by_arm, paired_differences
from csvision_claims.engine.rules import Difference
from csvision_claims.engine.runner import Runner
from csvision_claims.measuring.subsets import predict_classes, subset_images, subset_labels

NOISE = 0.1
"""The fraction of pixels that become black or white."""

FIRST, SECOND = "filters:12", "filters:24"

NETWORKS = {
    "max": f"[{{{FIRST},pool:max}},{{{SECOND},pool:max}}]",
    "average": f"[{{{FIRST},pool:avg}},{{{SECOND},pool:avg}}]",
    "subsample": f"[{{{FIRST},stride:2,pool:none}},{{{SECOND},stride:2,pool:none}}]",
    "learned stride": (
        f"[{{{FIRST},pool:none}},{{{FIRST},kernel_size:2,stride:2,padding:0,pool:none}},"
        f"{{{SECOND},pool:none}},{{{SECOND},kernel_size:2,stride:2,padding:0,pool:none}}]"
    ),
}
"""Three ways from 28x28 to 7x7 with equal parameters, and one with additional parameters.

A convolution with stride 2 is one with stride 1 of which every second value is kept.
"""

CLEAN = tuple(
    Arm(name, ("model=cnn", f"model.stages={stages}", "epochs=10"))
    for name, stages in NETWORKS.items()
)
NOISY = tuple(
    Arm(f"{arm.name}, noise", (*arm.overrides, f"augmentation.impulse_noise={NOISE}"))
    for arm in CLEAN
)


def add_noise(images: Tensor) -> Tensor:
    """Add the same impulse noise on every call."""
    return impulse_noise(images, NOISE, torch.Generator().manual_seed(0))


def accuracy_under_noise(trained: TrainResult) -> dict[str, Any]:
    """Return the accuracy on test images with noise."""
    subset = trained.splits.test
    classes = predict_classes(trained, add_noise(subset_images(subset)))
    return {"noisy/acc": float((classes == subset_labels(subset)).double().mean())}


def halved_panels() -> list[Panel]:
    """Return a garment, clean and noisy, and the result of each way to halve it without filters."""
    image = torch.from_numpy(read_table("bundled").images[:1])
    panels = []
    for name, pixels in {"clean": image, "noise": add_noise(image)}.items():
        values = pixels.float()
        halved: dict[str, Tensor] = {
            name: values,
            "max": F.max_pool2d(values, 2),
            "average": F.avg_pool2d(values, 2),
            "subsample": values[:, :, ::2, ::2],
        }
        panels += [Panel(way, kept[0, 0].tolist(), 0, 255) for way, kept in halved.items()]
    return panels


def measure(runner: Runner) -> Measurement:
    """Train every network on clean and on noisy images, each with its own learning rate."""
    arms = runner.tune_lr([*CLEAN, *NOISY])
    clean, noisy = arms[: len(CLEAN)], arms[len(CLEAN) :]
    runs = runner.train(clean) | runner.train(noisy, accuracy_under_noise)
    table = accuracy_table(
        arms, runs, {"test/acc": "test accuracy", "noisy/acc": "accuracy with noise"}
    )
    return Measurement(
        evidence={
            "B14a": paired_differences(runs["max"], runs["average"], "test/acc"),
            "B14b": paired_differences(runs["max"], runs["subsample"], "test/acc"),
            "B14c": paired_differences(runs["max"], runs["learned stride"], "test/acc"),
            "B14d": paired_differences(runs["max, noise"], runs["average, noise"], "noisy/acc"),
        },
        finding=describe(table),
        table=table,
        charts=[draw_panels(), draw_bars(table)],
        arms=runner.with_data(arms),
    )


def arm_accuracies(table: Sequence[Mapping[str, str | float]]) -> dict[str, float]:
    """Return the accuracy of each arm in %, on noisy images if it was trained on them."""
    return column_by_arm(table, "test accuracy, %") | column_by_arm(table, "accuracy with noise, %")


def describe(table: Sequence[Mapping[str, str | float]]) -> str:
    """Return the finding."""
    accuracy = arm_accuracies(table)
    message = conclude(
        "Max pooling is better than strides; max and average pooling differ by less than 1 point.",
        supported=accuracy["max"] > max(accuracy["subsample"], accuracy["learned stride"]) + 0.5
        and abs(accuracy["max"] - accuracy["average"]) < 1
        and abs(accuracy["max, noise"] - accuracy["average, noise"]) < 1,
    )
    return (
        f"{message} The test accuracy is {accuracy['max']:.1f} % with max pooling, "
        f"{accuracy['average']:.1f} % with average pooling, {accuracy['subsample']:.1f} % with "
        f"plain subsampling and {accuracy['learned stride']:.1f} % with a learned stride. With "
        f"{100 * NOISE:.0f} % of the pixels black or white, in training and in testing, it is "
        f"{accuracy['max, noise']:.1f} % with max and {accuracy['average, noise']:.1f} % with "
        "average pooling."
    )


def draw_panels() -> Panels:
    """Show a garment halved in each way."""
    return Panels(
        "a garment, clean and noisy, halved in different ways",
        halved_panels(),
        alt="Maxima keep the white pixels of the noise, averages blur them, and subsampling keeps "
        "1 pixel of 4",
        columns=4,
    )


def draw_bars(table: Sequence[Mapping[str, str | float]]) -> Bars:
    """Show the accuracy of each arm."""
    accuracy = arm_accuracies(table)
    return Bars(
        "accuracy on the test images (noisy ones for the arms with noise)",
        "%",
        accuracy,
        alt="; ".join(f"{name} {value:.1f} %" for name, value in accuracy.items()),
    )


CLAIM = Claim(
    id="B14",
    title="Max pooling enhances features",
    statements=(
        Statement(
            "B14a",
            "Max pooling gives more than 0.5 points more accuracy than average pooling",
            Difference(0.5, "points"),
        ),
        Statement(
            "B14b",
            "Max pooling gives more than 0.5 points more accuracy than keeping every second value "
            "(stride 2, equal parameters)",
            Difference(0.5, "points"),
        ),
        Statement(
            "B14c",
            "Max pooling gives more than 0.5 points more accuracy than a learned stride (which has "
            "more parameters)",
            Difference(0.5, "points"),
        ),
        Statement(
            "B14d",
            "Max pooling gives more than 0.5 points more accuracy than average pooling on images "
            "with impulse noise",
            Difference(0.5, "points"),
        ),
    ),
    why=(
        "The notes prefer it because the strongest response survives. The output is brighter by "
        "definition; whether this helps is another question, because three of four values are lost."
    ),
    method=(
        "Two convolutions of 12 and 24 filters are each followed by one way to halve the map; "
        "everything else is equal, except that the learned stride is an additional convolution. "
        "The same is repeated with impulse noise on every image."
    ),
    measure=measure,
    setup=(PREPARE_FASHION_MNIST,),
)

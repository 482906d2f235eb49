"""B14: max pooling enhances features."""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from csvision.augmentation import impulse
from csvision.claims.arms import Arm
from csvision.claims.bench import Bench
from csvision.claims.charts import Bars, Panel, Panels
from csvision.claims.claim import Claim, Measurement, Statement
from csvision.claims.measuring.looks import images_of, labels_of, predicted
from csvision.claims.paired import differences, mean_of, score_table
from csvision.claims.rules import Difference
from csvision.data.table import read_table
from csvision.run.train import Trained

NOISE = 0.1
"""The share of pixels that turn black or white."""

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
"""Three ways from 28x28 to 7x7 with equal parameters, and one that learns its own.

A convolution with stride 2 is one with stride 1 of which every second value is kept.
"""

CLEAN = tuple(
    Arm(name, ("model=cnn", f"model.stages={stages}", "epochs=10"))
    for name, stages in NETWORKS.items()
)
NOISY = tuple(
    Arm(f"{arm.name}, noise", (*arm.overrides, f"augmentation.impulse={NOISE}")) for arm in CLEAN
)


def accuracy_under_noise(trained: Trained) -> dict[str, Any]:
    """The accuracy on test images of which a share of the pixels is spoilt, the same each time."""
    part = trained.parts.test
    spoilt = impulse(images_of(part), NOISE, torch.Generator().manual_seed(0))
    right = predicted(trained, spoilt) == labels_of(part)
    return {"noisy/acc": float(right.double().mean())}


def halved() -> list[Panel]:
    """A garment, clean and spoilt, and what each way to halve it without a filter leaves."""
    image = torch.from_numpy(read_table("embedded").images[:1])
    spoilt = impulse(image, NOISE, torch.Generator().manual_seed(0))
    panels = []
    for name, shown in {"clean": image, "noise": spoilt}.items():
        values = shown.float()
        ways: dict[str, Tensor] = {
            name: values,
            "max": F.max_pool2d(values, 2),
            "average": F.avg_pool2d(values, 2),
            "subsample": values[:, :, ::2, ::2],
        }
        panels += [Panel(way, kept[0, 0].tolist(), 0, 255) for way, kept in ways.items()]
    return panels


def measure(bench: Bench) -> Measurement:
    """Train every network on clean and on noisy images, each with its own learning rate."""
    arms = bench.tuned([*CLEAN, *NOISY])
    clean, noisy = arms[: len(CLEAN)], arms[len(CLEAN) :]
    runs = bench.train(clean) | bench.train(noisy, accuracy_under_noise)
    means = {
        arm.name: 100 * mean_of(runs[arm.name], metric)
        for group, metric in ((clean, "test/acc"), (noisy, "noisy/acc"))
        for arm in group
    }
    return Measurement(
        evidence={
            "B14a": differences(runs["max"], runs["average"], "test/acc"),
            "B14b": differences(runs["max"], runs["subsample"], "test/acc"),
            "B14c": differences(runs["max"], runs["learned stride"], "test/acc"),
            "B14d": differences(runs["max, noise"], runs["average, noise"], "noisy/acc"),
        },
        finding=(
            f"Max pooling reaches {means['max']:.1f} %, averaging {means['average']:.1f} %, "
            f"plain subsampling {means['subsample']:.1f} % and a learned stride "
            f"{means['learned stride']:.1f} %. With {NOISE:.0%} of the pixels turned black or "
            f"white, in training and in the test, it is {means['max, noise']:.1f} % against "
            f"{means['average, noise']:.1f} % for averaging."
        ),
        table=score_table(arms, runs, {"test/acc": "test accuracy", "noisy/acc": "with noise"}),
        charts=[
            Panels(
                "what is left of a garment, clean and with noise",
                halved(),
                alt="Maxima keep the white specks of the noise, averages blur them, subsampling "
                "keeps one in four",
                columns=4,
            ),
            Bars(
                "accuracy on the test images (noisy ones for the arms with noise)",
                "%",
                means,
                alt="; ".join(f"{name} {value:.1f} %" for name, value in means.items()),
            ),
        ],
        arms=bench.complete(arms),
    )


CLAIM = Claim(
    id="B14",
    title="Max pooling enhances features",
    statements=(
        Statement(
            "B14a",
            "Max pooling makes better features than averaging: over half a point of accuracy",
            Difference(0.5, "points"),
        ),
        Statement(
            "B14b",
            "Max pooling makes better features than keeping every second value (stride 2, equal "
            "parameters)",
            Difference(0.5, "points"),
        ),
        Statement(
            "B14c",
            "Max pooling makes better features than a stride that learns what to keep (more "
            "parameters)",
            Difference(0.5, "points"),
        ),
        Statement(
            "B14d",
            "Max pooling makes better features than averaging when single pixels are spoilt by "
            "noise",
            Difference(0.5, "points"),
        ),
    ),
    why=(
        "The notes prefer it because the strongest response survives. It is brighter by "
        "definition; whether that helps is another matter, as it throws three of four values away."
    ),
    method=(
        "Two convolutions of 12 and 24 filters, each followed by one way to halve the map; all "
        "else is equal, but that the learned stride is a convolution of its own. The same again "
        "with impulse noise on every image."
    ),
    measure=measure,
    minutes=31,
)

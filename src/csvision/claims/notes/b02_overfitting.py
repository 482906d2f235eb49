"""B2: ... and therefore the MLP overfits."""

from collections.abc import Sequence
from math import log
from statistics import fmean
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F

from csvision.claims.arms import Arm, rate_of, settings_of
from csvision.claims.bench import Bench
from csvision.claims.charts import Curves, Series
from csvision.claims.claim import Claim, Measurement, Statement
from csvision.claims.measuring.looks import images_of, labels_of
from csvision.claims.rules import Difference
from csvision.claims.training import Scores
from csvision.geometry import layer_table
from csvision.run.train import Trained

TARGET = 0.25
"""The training loss, in nats, at which all arms are compared."""

NETWORKS = {
    "MLP, 20 k": ("model=mlp", "model.hidden=[24,24]"),
    "MLP, 110 k": ("model=mlp", "model.hidden=[128,64]"),
    "MLP, 220 k": ("model=mlp", "model.hidden=[256,64]"),
    "CNN, 20 k": ("model=cnn", "model.stages=[{filters:8},{filters:16}]", "model.hidden=[24]"),
    "CNN, 110 k": ("model=cnn", "model.stages=[{filters:16},{filters:32}]"),
    "CNN, 220 k": ("model=cnn", "model.stages=[{filters:32},{filters:64}]"),
}

EPOCHS = {"MLP": (4, 8, 16, 32), "CNN": (2, 4, 8, 16)}
"""Whole trainings, each with its own schedule, that lie on both sides of TARGET."""

TUNED_AT = 8


def arms_of(name: str) -> list[Arm]:
    """A network trained for each number of epochs."""
    return [
        Arm(f"{name}, {epochs} epochs", (*NETWORKS[name], f"epochs={epochs}"))
        for epochs in EPOCHS[name[:3]]
    ]


def training_loss(trained: Trained) -> dict[str, Any]:
    """The mean loss of the final weights on the training rows, in nats."""
    part = trained.parts.train
    images, labels = images_of(part), labels_of(part)
    network = trained.classifier.eval()
    total = 0.0
    with torch.no_grad():
        for rows in torch.split(torch.arange(len(part)), 500):
            total += float(F.cross_entropy(network(images[rows]), labels[rows], reduction="sum"))
    return {"final train/loss": total / len(part)}


def gap_at_target(runs: Sequence[Scores]) -> float:
    """Test minus training loss where the training loss is TARGET, on the line between runs.

    The line is drawn over the logarithm of the training loss; it is not drawn beyond the runs.
    """
    points = sorted(
        (log(run["final train/loss"]), run["test/loss"] - run["final train/loss"]) for run in runs
    )
    x, y = zip(*points, strict=True)
    return float(np.interp(log(TARGET), x, y))


def brackets(runs: Sequence[Scores]) -> bool:
    """Whether the runs lie on both sides of TARGET."""
    losses: list[float] = [run["final train/loss"] for run in runs]
    return min(losses) <= TARGET <= max(losses)


def parameters_of(name: str) -> int:
    """The parameters of a network on the notes' images."""
    layers = layer_table(settings_of(Arm(name, NETWORKS[name])).model, (1, 28, 28), 10)
    assert layers is not None
    return sum(layer.parameters for layer in layers)


def measure(bench: Bench) -> Measurement:
    """Train six networks for several numbers of epochs and compare them at one training loss."""
    tuned = bench.tuned(
        [Arm(name, (*words, f"epochs={TUNED_AT}")) for name, words in NETWORKS.items()]
    )
    rates = {arm.name: rate_of(arm) for arm in tuned}
    arms = [arm.but(f"optimizer.lr={rates[name]:g}") for name in NETWORKS for arm in arms_of(name)]
    runs = bench.train(arms, training_loss)
    by_seed = {
        name: list(zip(*(runs[arm.name] for arm in arms_of(name)), strict=True))
        for name in NETWORKS
    }
    gaps = {name: [gap_at_target(seed) for seed in seeds] for name, seeds in by_seed.items()}
    means = {name: fmean(values) for name, values in gaps.items()}
    inside = {name: sum(map(brackets, seeds)) for name, seeds in by_seed.items()}

    def more(one: str, two: str) -> list[float]:
        # A seed counts where both networks were trained to both sides of the target.
        pairs = zip(by_seed[one], by_seed[two], strict=True)
        return [
            gap_at_target(a) - gap_at_target(b) for a, b in pairs if brackets(a) and brackets(b)
        ]

    def growth(kind: str) -> float:
        return means[f"{kind}, 220 k"] - means[f"{kind}, 20 k"]

    return Measurement(
        evidence={
            "B2a": more("MLP, 110 k", "CNN, 220 k"),
            "B2b": more("MLP, 110 k", "CNN, 110 k"),
            "B2c": more("MLP, 220 k", "MLP, 20 k"),
            "B2d": more("CNN, 220 k", "CNN, 20 k"),
        },
        finding=(
            f"At a training loss of {TARGET} nats the test loss is higher by "
            + ", ".join(f"{value:.3f} ({name})" for name, value in means.items())
            + f". From 20 k to 220 k parameters that changes by {growth('MLP'):+.3f} (MLP) and "
            f"{growth('CNN'):+.3f} (CNN). Trainings lie on both sides of {TARGET} for at least "
            f"{min(inside.values())} of {len(bench.profile.seeds)} seeds of each network."
        ),
        table=[
            {
                "network": name,
                "parameters": parameters_of(name),
                "learning rate": rates[name],
                f"test minus training loss at {TARGET}": means[name],
                "best mean test loss": min(
                    fmean(run["test/loss"] for run in runs[arm.name]) for arm in arms_of(name)
                ),
            }
            for name in NETWORKS
        ],
        charts=[
            Curves(
                "test loss against training loss, each point a training of its own",
                "loss on the training images, nats",
                "loss on the test images, nats",
                [path(name, runs) for name in NETWORKS],
                alt="; ".join(f"{name}: {value:.3f} above" for name, value in means.items()),
                log_x=True,
            )
        ],
        arms=bench.complete(arms),
    )


def path(name: str, runs: dict[str, list[Scores]]) -> Series:
    """Mean test loss against mean training loss over the numbers of epochs."""
    groups = [runs[arm.name] for arm in arms_of(name)]
    x = [fmean(run["final train/loss"] for run in group) for group in groups]
    y = [fmean(run["test/loss"] for run in group) for group in groups]
    return Series(name, x, y, dashed=name.startswith("MLP"))


CLAIM = Claim(
    id="B2",
    title="... and therefore an MLP overfits",
    statements=(
        Statement(
            "B2a",
            "At equal training loss the notes' MLP overfits more than their CNN: over 0.05 nats",
            Difference(0.05, "nats"),
        ),
        Statement(
            "B2b",
            "So it does against a CNN with as many parameters",
            Difference(0.05, "nats"),
        ),
        Statement(
            "B2c",
            "The parameters are the reason: an MLP of 220 k overfits more than one of 20 k",
            Difference(0.05, "nats"),
        ),
        Statement(
            "B2d",
            "The parameters are the reason: a CNN of 220 k overfits more than one of 20 k",
            Difference(0.05, "nats"),
        ),
    ),
    why=(
        "Counting parameters is how the notes explain why a CNN is better; elsewhere it predicts "
        "badly (Zhang 2017, Neyshabur 2019)."
    ),
    method=(
        "MLPs and CNNs of three sizes, each with its own learning rate and trained for four "
        "numbers of epochs; overfitting is test minus training loss where the training loss of "
        f"the final weights is {TARGET} nats, between the two nearest trainings. Equal epochs "
        "would compare an underfitted network with a finished one."
    ),
    measure=measure,
    minutes=75,
)

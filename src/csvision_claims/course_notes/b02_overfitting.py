"""B2: an MLP overfits because it has more parameters."""

from collections.abc import Mapping, Sequence
from math import log
from statistics import fmean
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F

from csvision import TrainResult, layer_table
from csvision_claims.engine.arms import Arm, get_lr, load_arm_config
from csvision_claims.engine.charts import Curves, Series
from csvision_claims.engine.claim import (
    PREPARE_FASHION_MNIST,
    Claim,
    Measurement,
    Statement,
    conclude,
)
from csvision_claims.engine.rules import Difference
from csvision_claims.engine.runner import Runner
from csvision_claims.engine.training import Metrics
from csvision_claims.measuring.subsets import subset_images, subset_labels

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
"""Complete trainings, each with its own schedule, whose training losses bracket TARGET."""

TUNED_AT = 8

GAP = f"test minus training loss at {TARGET}"


def make_arms(name: str) -> list[Arm]:
    """Return a network with each number of epochs."""
    return [
        Arm(f"{name}, {epochs} epochs", (*NETWORKS[name], f"epochs={epochs}"))
        for epochs in EPOCHS[name[:3]]
    ]


def training_loss(trained: TrainResult) -> dict[str, Any]:
    """Return the mean loss of the final weights on the training rows, in nats."""
    subset = trained.splits.train
    images, labels = subset_images(subset), subset_labels(subset)
    network = trained.classifier.eval()
    total = 0.0
    with torch.no_grad():
        for rows in torch.split(torch.arange(len(subset)), 500):
            total += float(F.cross_entropy(network(images[rows]), labels[rows], reduction="sum"))
    return {"final train/loss": total / len(subset)}


def gap_at_target(runs: Sequence[Metrics]) -> float:
    """Return test minus training loss at a training loss of TARGET, interpolated between runs.

    Interpolation is linear in the logarithm of the training loss. If all training losses are on
    one side of TARGET, the gap is that of the nearest run.
    """
    points = sorted(
        (log(run["final train/loss"]), run["test/loss"] - run["final train/loss"]) for run in runs
    )
    x, y = zip(*points, strict=True)
    return float(np.interp(log(TARGET), x, y))


def brackets_target(runs: Sequence[Metrics]) -> bool:
    """Return whether the runs have training losses on both sides of TARGET."""
    losses: list[float] = [run["final train/loss"] for run in runs]
    return min(losses) <= TARGET <= max(losses)


def count_parameters(name: str) -> int:
    """Return the number of parameters of a network on the notes' images."""
    layers = layer_table(load_arm_config(Arm(name, NETWORKS[name])).model, (1, 28, 28), 10)
    assert layers is not None
    return sum(layer.parameters for layer in layers)


def measure(runner: Runner) -> Measurement:
    """Train six networks for several numbers of epochs; compare them at one training loss."""
    tuned = runner.tune_lr(
        [Arm(name, (*overrides, f"epochs={TUNED_AT}")) for name, overrides in NETWORKS.items()]
    )
    lrs = {arm.name: get_lr(arm) for arm in tuned}
    arms = [
        arm.override(f"optimizer.lr={lrs[name]:g}") for name in NETWORKS for arm in make_arms(name)
    ]
    runs = runner.train(arms, training_loss)
    by_seed = {
        name: list(zip(*(runs[arm.name] for arm in make_arms(name)), strict=True))
        for name in NETWORKS
    }

    def gap_differences(one: str, two: str) -> list[float]:
        # A seed counts if the trainings of both networks bracket the target.
        pairs = zip(by_seed[one], by_seed[two], strict=True)
        return [
            gap_at_target(a) - gap_at_target(b)
            for a, b in pairs
            if brackets_target(a) and brackets_target(b)
        ]

    evidence = {
        "B2a": gap_differences("MLP, 110 k", "CNN, 220 k"),
        "B2b": gap_differences("MLP, 110 k", "CNN, 110 k"),
        "B2c": gap_differences("MLP, 220 k", "MLP, 20 k"),
        "B2d": gap_differences("CNN, 220 k", "CNN, 20 k"),
    }
    table: list[dict[str, str | float]] = [
        {
            "network": name,
            "parameters": count_parameters(name),
            "learning rate": lrs[name],
            GAP: fmean(map(gap_at_target, by_seed[name])),
            "lowest mean test loss": min(
                fmean(run["test/loss"] for run in runs[arm.name]) for arm in make_arms(name)
            ),
        }
        for name in NETWORKS
    ]
    return Measurement(
        evidence=evidence,
        finding=describe(table, evidence, len(runner.profile.seeds)),
        table=table,
        charts=[draw_curves([mean_series(name, runs) for name in NETWORKS], table)],
        arms=runner.with_data(arms),
    )


def mean_series(name: str, runs: Mapping[str, list[Metrics]]) -> Series:
    """Return mean test loss against mean training loss over the numbers of epochs."""
    groups = [runs[arm.name] for arm in make_arms(name)]
    x = [fmean(run["final train/loss"] for run in group) for group in groups]
    y = [fmean(run["test/loss"] for run in group) for group in groups]
    return Series(name, x, y, dashed=name.startswith("MLP"))


def mean_gaps(table: Sequence[Mapping[str, str | float]]) -> dict[str, float]:
    """Return the mean gap at TARGET of each network in the table."""
    return {str(row["network"]): float(row[GAP]) for row in table}


def describe(
    table: Sequence[Mapping[str, str | float]], evidence: Mapping[str, list[float]], seeds: int
) -> str:
    """Return the finding."""
    gaps = mean_gaps(table)
    mlp, cnn = (gaps[f"{kind}, 220 k"] - gaps[f"{kind}, 20 k"] for kind in ("MLP", "CNN"))
    lowest_mlp = min(gap for name, gap in gaps.items() if name.startswith("MLP"))
    highest_cnn = max(gap for name, gap in gaps.items() if name.startswith("CNN"))
    message = conclude(
        "The MLPs overfit more than the CNNs, but not because of their number of parameters: "
        "larger networks of both kinds overfit less.",
        supported=lowest_mlp > highest_cnn and mlp < 0 and cnn < 0,
    )
    return (
        f"{message} At a training loss of {TARGET} nats the test loss is higher by "
        + ", ".join(f"{gap:.3f} ({name})" for name, gap in gaps.items())
        + f". From 20 k to 220 k parameters the gap changes by {mlp:+.3f} (MLP) and {cnn:+.3f} "
        f"(CNN). Each comparison uses at least {min(map(len, evidence.values()))} of {seeds} "
        f"seeds, those with training losses on both sides of {TARGET}."
    )


def draw_curves(series: list[Series], table: Sequence[Mapping[str, str | float]]) -> Curves:
    """Show test loss against training loss."""
    return Curves(
        "test loss against training loss; each point is a complete training",
        "loss on the training images, nats",
        "loss on the test images, nats",
        series,
        alt=f"Test minus training loss at {TARGET}: "
        + "; ".join(f"{name} {gap:.3f}" for name, gap in mean_gaps(table).items()),
        log_x=True,
    )


CLAIM = Claim(
    id="B2",
    title="An MLP overfits because it has more parameters",
    statements=(
        Statement(
            "B2a",
            "At equal training loss the notes' MLP overfits more than their CNN, by more than "
            "0.05 nats",
            Difference(0.05, "nats"),
        ),
        Statement(
            "B2b",
            "At equal training loss the notes' MLP overfits more than a CNN with as many "
            "parameters, by more than 0.05 nats",
            Difference(0.05, "nats"),
        ),
        Statement(
            "B2c",
            "An MLP of 220 k parameters overfits more than an MLP of 20 k, by more than 0.05 nats",
            Difference(0.05, "nats"),
        ),
        Statement(
            "B2d",
            "A CNN of 220 k parameters overfits more than a CNN of 20 k, by more than 0.05 nats",
            Difference(0.05, "nats"),
        ),
    ),
    why=(
        "The notes explain by the number of parameters why a CNN is better; in general this number "
        "predicts overfitting badly (Zhang 2017, Neyshabur 2019)."
    ),
    method=(
        "MLPs and CNNs of three sizes, each with its own learning rate, are trained for four "
        "numbers of epochs; overfitting is test minus training loss, interpolated at a training "
        f"loss of the final weights of {TARGET} nats. A comparison at equal epochs would compare "
        "an underfitted network with a converged one."
    ),
    measure=measure,
    setup=(PREPARE_FASHION_MNIST,),
)

"""B15: avoid pooling where location matters."""

from collections.abc import Mapping, Sequence
from statistics import fmean, stdev

import numpy as np
import torch

from csvision import read_table
from csvision_claims.engine.arms import Arm
from csvision_claims.engine.charts import Bars, Panel, Panels
from csvision_claims.engine.claim import (
    PREPARE_FASHION_MNIST,
    Claim,
    Measurement,
    Statement,
    conclude,
)
from csvision_claims.engine.jobs import Job
from csvision_claims.engine.paired import column_by_arm
from csvision_claims.engine.rules import Ratio
from csvision_claims.engine.runner import Runner
from csvision_claims.measuring.offsets import MAX_OFFSET, move_images, offset_error

MARGIN = 1.25

LR_GRID = (0.003, 0.01, 0.03)

EPOCHS = 10

COMMON = "padding_mode:circular"

ERROR = "mean absolute error, px"


def make_stages(options: str) -> str:
    """Return three 3x3 layers, of which the first two halve the map."""
    first, second = (f"{{filters:{filters},{options}}}" for filters in (8, 16))
    padding_mode = options.split(",")[0]
    return f"model.stages=[{first},{second},{{filters:32,{padding_mode},pool:none}}]"


FLATTEN = ("model.hidden=[32]",)
AVERAGE = ("model.global_pool=avg", "model.hidden=[32]")

ARMS = (
    Arm("strides, flatten", (make_stages(f"{COMMON},stride:2,pool:none"), *FLATTEN)),
    Arm("max pooling, flatten", (make_stages(f"{COMMON},pool:max"), *FLATTEN)),
    Arm("max pooling, global average", (make_stages(f"{COMMON},pool:max"), *AVERAGE)),
    Arm(
        "max pooling, global average, zero padding",
        (make_stages("padding_mode:zeros,pool:max"), *AVERAGE),
    ),
)


def make_jobs(
    arm: Arm, data: tuple[str, ...], lr: float, seeds: tuple[int, ...], epochs: int, split: str
) -> list[Job]:
    """Return one job per seed."""
    arguments = {"overrides": list(arm.overrides), "data": list(data), "lr": lr}
    return [
        Job(offset_error, {**arguments, "seed": seed, "epochs": epochs, "split": split})
        for seed in seeds
    ]


def tune_lr(runner: Runner, lr_grid: tuple[float, ...], epochs: int) -> dict[str, float]:
    """Return the learning rate of each arm with the lowest mean error on validation rows."""
    profile = runner.profile
    jobs = [
        job
        for arm in ARMS
        for lr in lr_grid
        for job in make_jobs(arm, profile.tuning_data, lr, profile.tuning_seeds, epochs, "val")
    ]
    shape = (len(ARMS), len(lr_grid), len(profile.tuning_seeds))
    best = np.array(runner.run(jobs)).reshape(shape).mean(axis=2).argmin(axis=1)
    return {arm.name: lr_grid[index] for arm, index in zip(ARMS, best, strict=True)}


def measure(runner: Runner) -> Measurement:
    """Train every arm to predict offsets, with its own learning rate."""
    profile = runner.profile
    epochs, lr_grid = (EPOCHS, LR_GRID) if profile.full else (1, LR_GRID[:1])
    lrs = tune_lr(runner, lr_grid, epochs)
    jobs = [
        job
        for arm in ARMS
        for job in make_jobs(arm, profile.data, lrs[arm.name], profile.seeds, epochs, "test")
    ]
    by_arm = np.array(runner.run(jobs)).reshape(len(ARMS), -1)
    errors = {arm.name: by_arm[index].tolist() for index, arm in enumerate(ARMS)}
    strides, pooling, average, zeros = errors.values()
    table: list[dict[str, str | float]] = [
        {
            "arm": arm.name,
            "learning rate": lrs[arm.name],
            ERROR: fmean(errors[arm.name]),
            "std": stdev(errors[arm.name]) if len(profile.seeds) > 1 else "",
            "network": " ".join(arm.overrides),
        }
        for arm in ARMS
    ]
    return Measurement(
        evidence={
            "B15a": [one / two for one, two in zip(pooling, strides, strict=True)],
            "B15b": [one / two for one, two in zip(average, strides, strict=True)],
            "B15c": [one / two for one, two in zip(average, zeros, strict=True)],
        },
        finding=describe(table),
        table=table,
        charts=[
            draw_bars(table),
            draw_examples(),
        ],
    )


def describe(table: Sequence[Mapping[str, str | float]]) -> str:
    """Return the finding."""
    errors = column_by_arm(table, ERROR)
    strides, pooling, average, zeros = errors.values()
    message = conclude(
        "Local max pooling keeps the location; a global average loses it, unless zero padding "
        "marks the border.",
        supported=pooling < MARGIN * strides
        and average > MARGIN * strides
        and average > MARGIN * zeros,
    )
    return (
        f"{message} The mean error of the predicted offset is "
        + ", ".join(f"{value:.2f} pixels ({name})" for name, value in errors.items())
        + f"; always predicting the center is wrong by {center_error():.2f} pixels."
    )


def draw_bars(table: Sequence[Mapping[str, str | float]]) -> Bars:
    """Show the error of each arm."""
    errors = column_by_arm(table, ERROR)
    return Bars(
        "error of the predicted offset",
        "pixels",
        errors,
        alt="; ".join(f"{name} {value:.2f} pixels" for name, value in errors.items()),
    )


def center_error() -> float:
    """Return the error of always predicting the center."""
    return fmean(abs(offset) for offset in range(-MAX_OFFSET, MAX_OFFSET + 1))


def draw_examples() -> Panels:
    """Show the first garment at three offsets."""
    offsets = torch.tensor([[0, 0], [-MAX_OFFSET, MAX_OFFSET], [3, -2]])
    image = torch.from_numpy(read_table("bundled").images[:1])
    images = move_images(image.expand(3, -1, -1, -1), offsets)
    return Panels(
        "one garment at three offsets (down, right)",
        [
            Panel(f"{down}, {right}", moved[0].tolist(), 0, 255)
            for (down, right), moved in zip(offsets.tolist(), images, strict=True)
        ],
        alt=f"1 garment at {len(offsets)} positions on a black canvas",
    )


CLAIM = Claim(
    id="B15",
    title="Avoid pooling where location matters",
    statements=(
        Statement(
            "B15a",
            "With max pooling, the error of a predicted offset is more than 1.25 times that with "
            "strides",
            Ratio(MARGIN),
        ),
        Statement(
            "B15b",
            "With a global average, the error of a predicted offset is more than 1.25 times that "
            "with strides",
            Ratio(MARGIN),
        ),
        Statement(
            "B15c",
            "With a global average, the error of a predicted offset is more than 1.25 times as "
            "large without zero padding as with it",
            Ratio(MARGIN),
        ),
    ),
    why=(
        "It decides whether networks that locate objects may use pooling; local and global pooling "
        "differ."
    ),
    method=(
        f"A garment is placed at a random offset of up to {MAX_OFFSET} pixels on a 40x40 canvas, "
        f"and a network is trained for {EPOCHS} epochs to predict the offset, with new offsets in "
        f"every epoch; the learning rate is one of {', '.join(map(str, LR_GRID))}. Padding is "
        "circular except in one arm, because zeros at the border reveal the position."
    ),
    measure=measure,
    setup=(PREPARE_FASHION_MNIST,),
)

"""B15: avoid pooling where location matters."""

from statistics import fmean, stdev

import numpy as np
import torch

from csvision.claims.arms import Arm
from csvision.claims.bench import Bench
from csvision.claims.charts import Bars, Panel, Panels
from csvision.claims.claim import Claim, Measurement, Statement
from csvision.claims.jobs import Job
from csvision.claims.measuring.offsets import MOST, moved, offset_error
from csvision.claims.rules import Ratio
from csvision.data.table import read_table

MARGIN = 1.25

RATES = (0.003, 0.01, 0.03)

EPOCHS = 10

COMMON = "padding_mode:circular"


def stages(words: str) -> str:
    """Three 3x3 layers, the first two with a way to halve the map."""
    first, second = (f"{{filters:{filters},{words}}}" for filters in (8, 16))
    mode = words.split(",")[0]
    return f"model.stages=[{first},{second},{{filters:32,{mode},pool:none}}]"


FLATTEN = ("model.hidden=[32]",)
AVERAGE = ("model.head=global_average", "model.hidden=[32]")

ARMS = (
    Arm("strides, flatten", (stages(f"{COMMON},stride:2,pool:none"), *FLATTEN)),
    Arm("max pooling, flatten", (stages(f"{COMMON},pool:max"), *FLATTEN)),
    Arm("max pooling, global average", (stages(f"{COMMON},pool:max"), *AVERAGE)),
    Arm(
        "max pooling, global average, zeros",
        (stages("padding_mode:zeros,pool:max"), *AVERAGE),
    ),
)


def jobs_of(
    arm: Arm, data: tuple[str, ...], lr: float, seeds: tuple[int, ...], epochs: int, part: str
) -> list[Job]:
    """A job for each seed."""
    arguments = {"overrides": list(arm.overrides), "data": list(data), "lr": lr}
    return [
        Job(offset_error, {**arguments, "seed": seed, "epochs": epochs, "part": part})
        for seed in seeds
    ]


def measure(bench: Bench) -> Measurement:
    """Train every arm for offsets, with the learning rate that did best on validation rows."""
    profile = bench.profile
    epochs, rates = (EPOCHS, RATES) if profile.full else (1, RATES[:1])
    tuning = [
        job
        for arm in ARMS
        for lr in rates
        for job in jobs_of(arm, profile.tuning, lr, profile.tuning_seeds, epochs, "val")
    ]
    shape = (len(ARMS), len(rates), len(profile.tuning_seeds))
    tuned = np.array(bench.run(tuning)).reshape(shape).mean(axis=2).argmin(axis=1)
    chosen = {arm.name: rates[index] for arm, index in zip(ARMS, tuned, strict=True)}
    jobs = [
        job
        for arm in ARMS
        for job in jobs_of(arm, profile.data, chosen[arm.name], profile.seeds, epochs, "test")
    ]
    table = np.array(bench.run(jobs)).reshape(len(ARMS), -1)
    errors = {arm.name: table[index].tolist() for index, arm in enumerate(ARMS)}
    strides, pooling, average, zeros = errors.values()
    means = {name: fmean(values) for name, values in errors.items()}
    return Measurement(
        evidence={
            "B15a": [one / two for one, two in zip(pooling, strides, strict=True)],
            "B15b": [one / two for one, two in zip(average, strides, strict=True)],
            "B15c": [one / two for one, two in zip(average, zeros, strict=True)],
        },
        finding=(
            "The offset is found to "
            + ", ".join(f"{value:.2f} pixels ({name})" for name, value in means.items())
            + f"; a guess at the middle is {chance():.2f} pixels off."
        ),
        table=[
            {
                "arm": arm.name,
                "learning rate": chosen[arm.name],
                "mean absolute error, px": means[arm.name],
                "deviation": stdev(errors[arm.name]) if len(profile.seeds) > 1 else "",
                "network": " ".join(arm.overrides),
            }
            for arm in ARMS
        ],
        charts=[
            Bars(
                "error of the predicted offset",
                "pixels",
                means,
                alt="; ".join(f"{name} {value:.2f} pixels" for name, value in means.items()),
            ),
            Panels("one garment at three offsets", examples(), alt="A garment moved on a canvas"),
        ],
    )


def chance() -> float:
    """The error of a guess at the middle."""
    return fmean(abs(offset) for offset in range(-MOST, MOST + 1))


def examples() -> list[Panel]:
    """The first garment at three offsets."""
    offsets = torch.tensor([[0, 0], [-MOST, MOST], [3, -2]])
    image = torch.from_numpy(read_table("embedded").images[:1])
    images = moved(image.expand(3, -1, -1, -1), offsets)
    return [
        Panel(f"{down}, {right}", shown[0].tolist(), 0, 255)
        for (down, right), shown in zip(offsets.tolist(), images, strict=True)
    ]


CLAIM = Claim(
    id="B15",
    title="Avoid pooling where location matters",
    statements=(
        Statement(
            "B15a",
            "Max pooling loses the place: behind it the error of a predicted offset is over 1.25 "
            "times that behind strides",
            Ratio(MARGIN),
        ),
        Statement(
            "B15b",
            "Pooling over all positions (global average) loses it: an error over 1.25 times that "
            "behind strides",
            Ratio(MARGIN),
        ),
        Statement(
            "B15c",
            "Zero padding tells a global average where the edge is: without it the error is over "
            "1.25 times larger",
            Ratio(MARGIN),
        ),
    ),
    why="It decides whether detectors and the like may pool; local and global pooling differ.",
    method=(
        f"A garment at a random offset of up to {MOST} pixels on a 40x40 canvas; the network "
        f"predicts the offset, new ones every epoch, {EPOCHS} in all. Learning rates are "
        f"{', '.join(map(str, RATES))}. Circular padding, except in one arm: zeros at the border "
        "would tell where it is."
    ),
    measure=measure,
    minutes=13,
)

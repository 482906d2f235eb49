"""B10: memory is convolution's problem."""

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from statistics import fmean
from typing import Any

import numpy as np

from csvision_claims.engine.charts import Curves, Series
from csvision_claims.engine.claim import Claim, Measurement, Statement, conclude
from csvision_claims.engine.jobs import Job
from csvision_claims.engine.rules import Comparison, Exact, Ratio
from csvision_claims.engine.runner import Runner

BATCHES = (1, 2, 3, 4)

SIDE, CHANNELS, FILTERS = 228, 3, 100

FLOAT = 4
"""Bytes of a float32."""

WEIGHT_BYTES = FLOAT * (FILTERS * CHANNELS * 9 + FILTERS)

OUTPUT_BYTES = FLOAT * FILTERS * (SIDE - 2) ** 2

NETWORKS = {
    "convolution": "Conv2d(3, 100, 3)",
    "convolution, then pooling": "Sequential(Conv2d(3, 100, 3), MaxPool2d(2))",
    "convolution with stride 2": "Conv2d(3, 100, 3, stride=2)",
    "training, with ReLU": "Sequential(Conv2d(3, 100, 3), ReLU())",
}

PROGRAM = """
import re, sys, torch
from torch.nn import Conv2d, MaxPool2d, ReLU, Sequential

def peak():
    text = open("/proc/self/status").read()
    return 1024 * int(re.search(r"VmHWM:\\s+(\\d+)", text)[1])

torch.set_num_threads(1)
torch.manual_seed(0)
network, training = {network}, {training}
images = torch.zeros({batch}, 3, 228, 228)
network(images[:1, :, :16, :16])
before = peak()
with torch.set_grad_enabled(training):
    outputs = network(images)
if training:
    outputs.sum().backward()
print(peak() - before)
"""


def measure_peak_growth(network: str, batch: int, repeat: int) -> int:
    """Return the bytes by which the peak resident memory of a new process grows in one pass.

    `repeat` distinguishes repeated measurements.
    """
    code = PROGRAM.format(
        network=NETWORKS[network], batch=batch, training=network.startswith("training")
    )
    result: int = json.loads(subprocess.check_output([sys.executable, "-c", code], text=True))
    return result


def fit_slopes(batches: Sequence[int], table: np.ndarray[Any, Any]) -> list[float]:
    """Return the bytes per image: the slope of a line through the batches of each repeat."""
    return [float(np.polyfit(batches, row, 1)[0]) for row in table]


def measure(runner: Runner) -> Measurement:
    """Measure four networks at four batch sizes, each in its own process."""
    repeats, batches = (8, BATCHES) if runner.profile.full else (1, BATCHES[:2])
    jobs = [
        Job(measure_peak_growth, {"network": network, "batch": batch, "repeat": repeat})
        for network in NETWORKS
        for repeat in range(repeats)
        for batch in batches
    ]
    peaks = np.array(runner.run(jobs), dtype=float).reshape(len(NETWORKS), repeats, len(batches))
    by_image = {name: fit_slopes(batches, rows) for name, rows in zip(NETWORKS, peaks, strict=True)}
    alone, pooled, strided, trained = by_image.values()
    table: list[dict[str, str | float]] = [
        {
            "network": name,
            "MB per image": fmean(by_image[name]) / 1e6,
            "multiple of the convolution's output": fmean(by_image[name]) / OUTPUT_BYTES,
        }
        for name in NETWORKS
    ]
    series = [
        Series(name, list(map(float, batches)), (rows.mean(axis=0) / 1e6).tolist())
        for name, rows in zip(NETWORKS, peaks, strict=True)
    ]
    return Measurement(
        evidence={
            "B10a": [Comparison("bytes of the weights (2,800 numbers)", 11_200, WEIGHT_BYTES)],
            "B10b": [value / WEIGHT_BYTES for value in alone],
            "B10c": [one / other for one, other in zip(alone, pooled, strict=True)],
            "B10d": [one / other for one, other in zip(alone, strided, strict=True)],
            "B10e": [one / other for one, other in zip(trained, alone, strict=True)],
        },
        finding=describe(table),
        table=table,
        charts=[draw_curves(series, table)],
    )


def megabytes(table: Sequence[Mapping[str, str | float]]) -> dict[str, float]:
    """Return the MB per image of each network in the table."""
    return {str(row["network"]): float(row["MB per image"]) for row in table}


def describe(table: Sequence[Mapping[str, str | float]]) -> str:
    """Return the finding."""
    size = megabytes(table)
    convolution, pooled, strided, trained = size.values()
    message = conclude(
        "The outputs take the memory, not the weights; a stride saves memory, pooling does not.",
        supported=convolution > 100 * WEIGHT_BYTES / 1e6
        and convolution > 1.25 * strided
        and convolution < 1.25 * pooled
        and trained > 1.25 * convolution,
    )
    return (
        f"{message} {FILTERS} filters of 3x3 on {SIDE}x{SIDE}x{CHANNELS} have {WEIGHT_BYTES:,} "
        f"bytes of weights and {OUTPUT_BYTES:,} bytes of output per image. The peak memory, which "
        "includes the working memory of torch, grows with each image by "
        + ", ".join(f"{value:.1f} MB ({name})" for name, value in size.items())
        + "."
    )


def draw_curves(series: list[Series], table: Sequence[Mapping[str, str | float]]) -> Curves:
    """Show the growth of the peak memory over the batch size."""
    return Curves(
        "growth of the peak memory in one pass",
        "images in the batch",
        "MB",
        series,
        alt="; ".join(f"{name}: {mb:.1f} MB per image" for name, mb in megabytes(table).items()),
    )


CLAIM = Claim(
    id="B10",
    title="Memory is convolution's problem",
    statements=(
        Statement(
            "B10a",
            "The weights of 100 filters of 3x3 on three channels take little memory: 2,800 "
            "numbers, 11,200 bytes",
            Exact(),
        ),
        Statement(
            "B10b",
            "The output of a convolution takes the memory: each image adds more than 100 times the "
            "size of the weights",
            Ratio(100.0),
        ),
        Statement(
            "B10c",
            "Pooling after a convolution saves memory: without it, the peak of a forward pass "
            "grows more than 1.25 times as much per image",
            Ratio(1.25),
        ),
        Statement(
            "B10d",
            "A stride of 2 saves memory: without it, the peak of a forward pass grows more than "
            "1.25 times as much per image",
            Ratio(1.25),
        ),
        Statement(
            "B10e",
            "Training a convolution with ReLU takes more than 1.25 times the memory per image of a "
            "forward pass of the convolution",
            Ratio(1.25),
        ),
    ),
    why="What takes the memory decides what helps: smaller batches, strides, or fewer weights.",
    method=(
        "The peak resident memory of a new process is read from the system for batches of 1 to 4 "
        "images, in eight repeats; the slope of a line through them is the memory per image."
    ),
    measure=measure,
)

"""B10: memory is convolution's problem."""

import json
import subprocess
import sys
from statistics import fmean
from typing import Any

import numpy as np

from csvision.claims.bench import Bench
from csvision.claims.charts import Curves, Series
from csvision.claims.claim import Claim, Measurement, Statement
from csvision.claims.jobs import Job
from csvision.claims.rules import Comparison, Exact, Ratio

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


def peak_growth(network: str, batch: int, repeat: int) -> int:
    """Bytes by which the peak resident memory of a fresh process grows in one pass.

    `repeat` tells equal measurements apart.
    """
    code = PROGRAM.format(
        network=NETWORKS[network], batch=batch, training=network.startswith("training")
    )
    result: int = json.loads(subprocess.check_output([sys.executable, "-c", code], text=True))
    return result


def slopes(table: np.ndarray[Any, Any]) -> list[float]:
    """Bytes that one more image takes: the slope of a line through a repeat's (batch, bytes)."""
    return [float(np.polyfit(BATCHES, row, 1)[0]) for row in table]


def measure(bench: Bench) -> Measurement:
    """Weigh four networks at four batch sizes, each in a process of its own."""
    repeats = 8 if bench.profile.full else 1
    jobs = [
        Job(peak_growth, {"network": network, "batch": batch, "repeat": repeat})
        for network in NETWORKS
        for repeat in range(repeats)
        for batch in BATCHES
    ]
    table = np.array(bench.run(jobs), dtype=float).reshape(len(NETWORKS), repeats, len(BATCHES))
    by_image = {name: slopes(rows) for name, rows in zip(NETWORKS, table, strict=True)}
    alone, pooled, strided, trained = by_image.values()
    megabytes = {name: fmean(values) / 1e6 for name, values in by_image.items()}
    return Measurement(
        evidence={
            "B10a": [Comparison("bytes of the weights (2,800 numbers)", 11_200, WEIGHT_BYTES)],
            "B10b": [value / WEIGHT_BYTES for value in alone],
            "B10c": [one / other for one, other in zip(alone, pooled, strict=True)],
            "B10d": [one / other for one, other in zip(alone, strided, strict=True)],
            "B10e": [one / other for one, other in zip(trained, alone, strict=True)],
        },
        finding=(
            f"{FILTERS} filters 3x3 on {SIDE}x{SIDE}x{CHANNELS} have {WEIGHT_BYTES:,} bytes of "
            f"weights and {OUTPUT_BYTES:,} bytes of output an image. One more image adds to the "
            "peak, which has what torch works with on top of the output: "
            + ", ".join(f"{value:.1f} MB ({name})" for name, value in megabytes.items())
            + "."
        ),
        table=[
            {
                "network": name,
                "MB for one more image": megabytes[name],
                "outputs of the convolution for one more image": fmean(by_image[name])
                / OUTPUT_BYTES,
            }
            for name in NETWORKS
        ],
        charts=[
            Curves(
                "growth of the peak memory in one pass",
                "images in the batch",
                "MB",
                [
                    Series(name, list(map(float, BATCHES)), (rows.mean(axis=0) / 1e6).tolist())
                    for name, rows in zip(NETWORKS, table, strict=True)
                ],
                alt="; ".join(f"{name}: {mb:.1f} MB an image" for name, mb in megabytes.items()),
            )
        ],
    )


CLAIM = Claim(
    id="B10",
    title="Memory is convolution's problem",
    statements=(
        Statement("B10a", "The weights are small: 2,800 numbers, 11,200 bytes", Exact()),
        Statement(
            "B10b",
            "What costs memory is the output: one more image takes over 100 times the weights",
            Ratio(100.0),
        ),
        Statement(
            "B10c",
            "Pooling behind the convolution saves it: the peak of a forward pass is over 1.25 "
            "times smaller",
            Ratio(1.25),
        ),
        Statement(
            "B10d",
            "A stride saves it: the peak of a forward pass is over 1.25 times smaller",
            Ratio(1.25),
        ),
        Statement(
            "B10e",
            "Training, here with a ReLU, takes more than the convolution's forward pass: over 1.25 "
            "times",
            Ratio(1.25),
        ),
    ),
    why="Where the memory goes decides what helps: fewer images, strides, or fewer weights.",
    method=(
        "The peak resident memory of a fresh process at batches of 1 to 4 images, read from the "
        "system; the slope of a line through them is what one more image takes. Eight repeats."
    ),
    measure=measure,
    minutes=2.5,
)

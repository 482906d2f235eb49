"""B9: stride reduces computation."""

import time
from collections.abc import Mapping, Sequence
from math import exp, log
from statistics import fmean, median
from typing import Any

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from csvision_claims.engine.charts import Bars
from csvision_claims.engine.claim import Claim, Measurement, Statement, conclude
from csvision_claims.engine.jobs import Job
from csvision_claims.engine.rules import Comparison, Exact, Ratio
from csvision_claims.engine.runner import Runner

STRIDES = (1, 2, 4)

LARGE = (8, 3, 224, 100)
"""Images, channels, side and filters of a layer like the notes'."""

TINY = (1, 3, 16, 4)

REPEATS = 20


def time_layer(layer: tuple[int, int, int, int], repeats: int) -> dict[str, Any]:
    """Return the seconds of the forward pass with each stride, measured in turn."""
    images, channels, side, filters = layer
    torch.manual_seed(0)
    inputs = torch.randn(images, channels, side, side)
    layers = [nn.Conv2d(channels, filters, 3, stride, padding=1) for stride in STRIDES]
    calls = max(1, 2**22 // (images * channels * side * side * filters))
    with torch.no_grad():
        for convolution in layers:
            convolution(inputs)
        rows = [
            [time_forward(convolution, inputs, calls) for convolution in layers]
            for _ in range(repeats)
        ]
    return {str(stride): [row[index] for row in rows] for index, stride in enumerate(STRIDES)}


def time_forward(convolution: nn.Conv2d, inputs: torch.Tensor, calls: int) -> float:
    """Return the seconds of one forward pass, averaged over several if it is short."""
    start = time.perf_counter()
    for _ in range(calls):
        convolution(inputs)
    return (time.perf_counter() - start) / calls


def count_multiply_adds(stride: int) -> int:
    """Return what torch counts for one image of the large layer."""
    _, channels, side, filters = LARGE
    convolution = nn.Conv2d(channels, filters, 3, stride, padding=1)
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        convolution(torch.zeros(1, channels, side, side))
    # torch counts a multiply-add as two operations.
    return int(counter.get_total_flops()) // 2


def time_ratios(seconds: dict[str, Any], stride: int) -> list[float]:
    """Return how many times longer stride 1 takes, pair by pair."""
    return [one / other for one, other in zip(seconds["1"], seconds[str(stride)], strict=True)]


def measure(runner: Runner) -> Measurement:
    """Count and time a layer with three strides, while nothing else is computed."""
    repeats = REPEATS if runner.profile.full else 8
    jobs = [Job(time_layer, {"layer": layer, "repeats": repeats}) for layer in (LARGE, TINY)]
    large, tiny = runner.run(jobs, sequential=True)
    counts = {stride: count_multiply_adds(stride) for stride in STRIDES}
    table: list[dict[str, str | float]] = [
        {
            "stride": str(stride),
            "multiply-adds per image": counts[stride],
            "large layer, median ms": 1000 * median(large[str(stride)]),
            "tiny layer, median ms": 1000 * median(tiny[str(stride)]),
        }
        for stride in STRIDES
    ]
    ratios = {
        "B9b": time_ratios(large, 2),
        "B9c": time_ratios(large, 4),
        "B9d": time_ratios(tiny, 2),
    }
    return Measurement(
        evidence={
            "B9a": [
                Comparison(
                    f"{factor} times the multiply-adds at stride {stride}, of those at stride 1",
                    counts[1],
                    counts[stride] * factor,
                )
                for stride, factor in ((2, 4), (4, 16))
            ],
            **ratios,
        },
        finding=describe(table, ratios),
        table=table,
        charts=[draw_bars(table)],
    )


def geometric_mean(values: Sequence[float]) -> float:
    """Return the geometric mean, the effect of the rule for ratios."""
    return exp(fmean(map(log, values)))


def describe(
    table: Sequence[Mapping[str, str | float]], ratios: Mapping[str, Sequence[float]]
) -> str:
    """Return the finding; `ratios` are the evidence of B9b, B9c and B9d."""
    means = {name: geometric_mean(ratios[name]) for name in ("B9b", "B9c", "B9d")}
    message = conclude(
        "A stride makes a large layer much faster, but hardly a tiny one.",
        supported=means["B9b"] > 3 and means["B9c"] > 12 and means["B9d"] < 2,
    )
    milliseconds = ", ".join(f"{row['large layer, median ms']:.0f}" for row in table)
    return (
        f"{message} A layer of {LARGE[3]} filters of 3x3 on {LARGE[0]} images of "
        f"{LARGE[2]}x{LARGE[2]}x{LARGE[1]} takes {milliseconds} ms with strides "
        f"{', '.join(map(str, STRIDES))} (medians of {len(ratios['B9c'])}, one thread). The "
        f"geometric mean of the paired time ratios is {means['B9b']:.1f} for stride 2, with a "
        f"quarter of the work, and {means['B9c']:.1f} for stride 4, with a sixteenth. For a tiny "
        f"layer of {TINY[3]} filters on one image of {TINY[2]}x{TINY[2]} it is "
        f"{means['B9d']:.2f} with stride 2."
    )


def draw_bars(table: Sequence[Mapping[str, str | float]]) -> Bars:
    """Show the time of the large layer with each stride."""
    milliseconds = {
        f"stride {row['stride']}": float(row["large layer, median ms"]) for row in table
    }
    return Bars(
        "forward pass of the large layer, median",
        "ms",
        milliseconds,
        alt="; ".join(f"{name}: {value:.0f} ms" for name, value in milliseconds.items()),
    )


CLAIM = Claim(
    id="B9",
    title="Stride reduces computation",
    statements=(
        Statement(
            "B9a",
            "A stride of 2 leaves a quarter of the multiply-adds, a stride of 4 a sixteenth",
            Exact(),
        ),
        Statement("B9b", "A layer with stride 2 is faster than one with stride 1", Ratio(1.0)),
        Statement("B9c", "A layer with stride 4 is faster than one with stride 1", Ratio(1.0)),
        Statement(
            "B9d",
            "A tiny layer with stride 2, which has a quarter of the multiply-adds, is more than 4 "
            "times as fast as with stride 1",
            Ratio(4.0),
        ),
    ),
    why="It is a second reason for strides; counted operations and time are not the same.",
    method=(
        "Multiply-adds are counted by torch. The forward passes with all strides are timed in "
        "turn, on one thread, while nothing else is measured; each repeat gives a ratio."
    ),
    measure=measure,
)

"""B9: stride reduces computing."""

import time
from statistics import median
from typing import Any

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from csvision.claims.bench import Bench
from csvision.claims.charts import Bars
from csvision.claims.claim import Claim, Measurement, Statement
from csvision.claims.jobs import Job
from csvision.claims.rules import Comparison, Exact, Ratio

STRIDES = (1, 2, 4)

LARGE = (8, 3, 224, 100)
"""Images, channels, side, filters of a layer like the notes'."""

TINY = (1, 3, 16, 4)

REPEATS = 20


def timings(layer: tuple[int, int, int, int], repeats: int) -> dict[str, Any]:
    """Seconds of the forward pass with each stride, the strides taking turns."""
    images, channels, side, filters = layer
    torch.manual_seed(0)
    inputs = torch.randn(images, channels, side, side)
    layers = [nn.Conv2d(channels, filters, 3, stride, padding=1) for stride in STRIDES]
    calls = max(1, 2**22 // (images * channels * side * side * filters))
    with torch.no_grad():
        for convolution in layers:
            convolution(inputs)
        rows = [
            [seconds_of(convolution, inputs, calls) for convolution in layers]
            for _ in range(repeats)
        ]
    return {str(stride): [row[index] for row in rows] for index, stride in enumerate(STRIDES)}


def seconds_of(convolution: nn.Conv2d, inputs: torch.Tensor, calls: int) -> float:
    """Seconds of one forward pass, over several where it is short."""
    start = time.perf_counter()
    for _ in range(calls):
        convolution(inputs)
    return (time.perf_counter() - start) / calls


def multiply_adds(stride: int) -> int:
    """What torch counts for one image of the large layer."""
    _, channels, side, filters = LARGE
    convolution = nn.Conv2d(channels, filters, 3, stride, padding=1)
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        convolution(torch.zeros(1, channels, side, side))
    # torch counts a multiply-add as two operations.
    return int(counter.get_total_flops()) // 2


def ratios(seconds: dict[str, Any], stride: int) -> list[float]:
    """How many times longer stride 1 takes, pair by pair."""
    return [one / other for one, other in zip(seconds["1"], seconds[str(stride)], strict=True)]


def measure(bench: Bench) -> Measurement:
    """Count and time a layer with three strides; nothing else computes meanwhile."""
    repeats = REPEATS if bench.profile.full else 8
    jobs = [Job(timings, {"layer": layer, "repeats": repeats}) for layer in (LARGE, TINY)]
    large, tiny = bench.run(jobs, alone=True)
    counts = {stride: multiply_adds(stride) for stride in STRIDES}
    milliseconds = {stride: 1000 * median(large[str(stride)]) for stride in STRIDES}
    shown = ", ".join(f"{value:.0f} ms" for value in milliseconds.values())
    return Measurement(
        evidence={
            "B9a": [
                Comparison(
                    f"{share} times the multiply-adds at stride {stride}, of those at stride 1",
                    counts[1],
                    counts[stride] * share,
                )
                for stride, share in ((2, 4), (4, 16))
            ],
            "B9b": ratios(large, 2),
            "B9c": ratios(large, 4),
            "B9d": ratios(tiny, 2),
        },
        finding=(
            f"A layer of {LARGE[3]} filters 3x3 on {LARGE[0]} images of {LARGE[2]}x{LARGE[2]}x"
            f"{LARGE[1]} takes {shown} with strides {', '.join(map(str, STRIDES))} (medians of "
            f"{repeats}, one thread): stride 4 has a sixteenth of the work and is "
            f"{median(ratios(large, 4)):.0f} times quicker. A tiny layer of {TINY[3]} filters "
            f"on one image of {TINY[2]}x{TINY[2]} gets {median(ratios(tiny, 2)):.2f} times quicker "
            "with stride 2 where it has a quarter of the work."
        ),
        table=[
            {
                "stride": str(stride),
                "multiply-adds an image": counts[stride],
                "large layer, ms": milliseconds[stride],
                "tiny layer, ms": 1000 * median(tiny[str(stride)]),
            }
            for stride in STRIDES
        ],
        charts=[
            Bars(
                "forward pass of the large layer",
                "ms",
                {f"stride {stride}": value for stride, value in milliseconds.items()},
                alt=f"Strides 1, 2 and 4: {shown}",
            )
        ],
    )


CLAIM = Claim(
    id="B9",
    title="Stride reduces computing",
    statements=(
        Statement(
            "B9a",
            "A stride of 2 leaves a quarter of the multiply-adds, one of 4 a sixteenth",
            Exact(),
        ),
        Statement("B9b", "A layer with stride 2 is quicker than with stride 1", Ratio(1.0)),
        Statement("B9c", "A layer with stride 4 is quicker than with stride 1", Ratio(1.0)),
        Statement(
            "B9d",
            "A quarter of the multiply-adds takes a quarter of the time in a tiny layer, too: "
            "stride 2 is 4 times quicker",
            Ratio(4.0),
        ),
    ),
    why="It is a second reason to use strides; counted work and time are not the same thing.",
    method=(
        "Multiply-adds are counted by torch. The forward pass with each stride is timed in turn, "
        "on one thread, while nothing else is measured; each repeat gives a ratio."
    ),
    measure=measure,
    minutes=0.5,
)

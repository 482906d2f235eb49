"""A5: with stride s the side of the map is floor((n + 2p - f) / s) + 1."""

from itertools import product
from math import floor

import torch
from torch.nn import functional as F

from csvision.claims.bench import Bench
from csvision.claims.charts import Curves, Series
from csvision.claims.claim import Claim, Measurement, Statement
from csvision.claims.jobs import Job
from csvision.claims.rules import Comparison, Exact

Case = tuple[int, int, int, int]
"""Image side n, filter side f, padding p, stride s."""

GRID: list[Case] = list(product((7, 28), (2, 3, 5), (0, 1, 2), (1, 2, 3)))

WIDE: list[Case] = [
    (size, filter_side, padding, stride)
    for size, filter_side, padding, stride in product(
        range(1, 17), range(1, 7), range(4), range(1, 6)
    )
    if filter_side <= size + 2 * padding
]

DILATIONS = (1, 2, 3)


def steps(size: int, filter_side: int, padding: int, stride: int) -> float:
    """(n + 2p - f) / s + 1, which need not be whole."""
    return (size + 2 * padding - filter_side) / stride + 1


def sides(cases: list[Case], dilation: int = 1) -> list[int]:
    """The side of the map that torch makes of each case."""
    return [
        F.conv2d(
            torch.zeros(1, 1, size, size),
            torch.zeros(1, 1, filter_side, filter_side),
            padding=padding,
            stride=stride,
            dilation=dilation,
        ).shape[2]
        for size, filter_side, padding, stride in cases
    ]


def curves(cases: list[Case], measured: list[int]) -> Curves:
    """The side over the stride, with the formula before and after rounding down."""
    strides = [float(stride) for *_, stride in cases]
    size, filter_side, padding, _ = cases[0]
    return Curves(
        f"side of the map of {size}x{size}, filter {filter_side}, padding {padding}",
        "stride",
        "side of the map",
        [
            Series("torch", strides, [float(side) for side in measured]),
            Series(
                "(n + 2p - f) / s + 1, not rounded",
                strides,
                [steps(*case) for case in cases],
                dashed=True,
            ),
        ],
        alt=(
            f"The side falls from {measured[0]} at stride 1 over {measured[1]} at stride 2 to "
            f"{measured[-1]} at stride {strides[-1]:.0f}, never above the line of the formula "
            "before rounding"
        ),
    )


def measure(bench: Bench) -> Measurement:
    """Hold the formula against the maps that torch makes."""
    line: list[Case] = [(28, 3, 1, stride) for stride in range(1, 9)]
    dilated: list[Case] = [(28, 3, 1, 1), (28, 5, 1, 2)]
    grid, wide, lined, *by_dilation = bench.run(
        [Job(sides, {"cases": cases}) for cases in (GRID, WIDE, line)]
        + [Job(sides, {"cases": dilated, "dilation": dilation}) for dilation in DILATIONS]
    )
    agreeing = sum(floor(steps(*case)) == side for case, side in zip(WIDE, wide, strict=True))
    rounded = sum(steps(*case) != floor(steps(*case)) for case in WIDE)
    widest = by_dilation[-1][0]
    return Measurement(
        evidence={
            "A5": [
                Comparison("small cases that agree", len(WIDE), agreeing),
                *(
                    Comparison(
                        f"n = {n}, f = {f}, p = {p}, s = {s}", floor(steps(n, f, p, s)), side
                    )
                    for (n, f, p, s), side in zip(GRID, grid, strict=True)
                ),
            ]
        },
        finding=(
            f"The formula gives the side in {agreeing} of {len(WIDE)} small cases and in all "
            f"{len(GRID)} larger ones; in {rounded} of the small ones it rounds, and the last "
            "pixels are passed over. It lacks the dilation d, which makes f span "
            f"d(f - 1) + 1 pixels: at d = {DILATIONS[-1]} a 3x3 filter leaves {widest} of "
            f"{dilated[0][0]} pixels with padding {dilated[0][2]}, and not "
            f"{floor(steps(*dilated[0]))}."
        ),
        table=[
            {
                "n": n,
                "f": f,
                "p": p,
                "s": s,
                "dilation": dilation,
                "formula": floor(steps(n, f, p, s)),
                "formula with d(f - 1) + 1": floor(steps(n, dilation * (f - 1) + 1, p, s)),
                "torch": side,
            }
            for dilation, measured in zip(DILATIONS, by_dilation, strict=True)
            for (n, f, p, s), side in zip(dilated, measured, strict=True)
        ],
        charts=[curves(line, lined)],
    )


CLAIM = Claim(
    id="A5",
    title="Stride: floor((n + 2p - f) / s) + 1",
    statements=(
        Statement(
            "A5",
            "An image of side n under a filter of side f, with padding p and stride s, gives a map "
            "of side floor((n + 2p - f) / s) + 1",
            Exact(),
        ),
    ),
    why="It is the formula for every layer of convolution or pooling, rounding included.",
    method=(
        f"The side of the maps that torch makes for {len(WIDE)} small and {len(GRID)} larger "
        "choices of image, filter, padding and stride. Dilation, which the notes leave out, is "
        "shown beside it."
    ),
    measure=measure,
)

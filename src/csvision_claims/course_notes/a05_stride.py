"""A5: with stride s the side of the map is floor((n + 2p - f) / s) + 1."""

from itertools import product

import torch
from torch.nn import functional as F

from csvision_claims.engine.charts import Curves, Series
from csvision_claims.engine.claim import Claim, Measurement, Statement
from csvision_claims.engine.jobs import Job
from csvision_claims.engine.rules import Comparison, Exact
from csvision_claims.engine.runner import Runner
from csvision_claims.measuring.output_sides import claimed_side, unrounded_side

Case = tuple[int, int, int, int]
"""Image side n, filter side f, padding p, stride s."""

GRID: list[Case] = list(product((7, 28), (2, 3, 5), (0, 1, 2), (1, 2, 3)))

SMALL: list[Case] = [
    (size, filter_side, padding, stride)
    for size, filter_side, padding, stride in product(
        range(1, 17), range(1, 7), range(4), range(1, 6)
    )
    if filter_side <= size + 2 * padding
]

DILATIONS = (1, 2, 3)


def measure_sides(cases: list[Case], dilation: int = 1) -> list[int]:
    """Return the side of torch's output map in each case."""
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


def draw_curves(cases: list[Case], measured: list[int]) -> Curves:
    """Show the side over the stride, with the formula before rounding."""
    strides = [float(stride) for *_, stride in cases]
    size, filter_side, padding, _ = cases[0]
    return Curves(
        f"side of the map of a {size}x{size} image, filter {filter_side}, padding {padding}",
        "stride",
        "side of the map",
        [
            Series("torch", strides, [float(side) for side in measured]),
            Series(
                "(n + 2p - f) / s + 1, not rounded",
                strides,
                [unrounded_side(*case) for case in cases],
                dashed=True,
            ),
        ],
        alt=(
            f"The side falls from {measured[0]} at stride 1 to {measured[1]} at stride 2 and "
            f"{measured[-1]} at stride {strides[-1]:.0f}, never above the line of the formula "
            "before rounding"
        ),
    )


def measure(runner: Runner) -> Measurement:
    """Compare the formula with the maps of torch."""
    line: list[Case] = [(28, 3, 1, stride) for stride in range(1, 9)]
    dilated: list[Case] = [(28, 3, 1, 1), (28, 5, 1, 2)]
    grid_sides, small_sides, line_sides, *by_dilation = runner.run(
        [Job(measure_sides, {"cases": cases}) for cases in (GRID, SMALL, line)]
        + [Job(measure_sides, {"cases": dilated, "dilation": dilation}) for dilation in DILATIONS]
    )
    agreeing = sum(
        claimed_side(*case) == side for case, side in zip(SMALL, small_sides, strict=True)
    )
    rounded = sum(unrounded_side(*case) != claimed_side(*case) for case in SMALL)
    dilated_side = by_dilation[-1][0]
    return Measurement(
        evidence={
            "A5": [
                Comparison("small cases that agree", len(SMALL), agreeing),
                *(
                    Comparison(
                        f"n = {n}, f = {f}, p = {p}, s = {s}", claimed_side(n, f, p, s), side
                    )
                    for (n, f, p, s), side in zip(GRID, grid_sides, strict=True)
                ),
            ]
        },
        finding=(
            f"The formula is right: it gives the side in {agreeing} of {len(SMALL)} small cases "
            f"and in all {len(GRID)} larger ones. In {rounded} of the small cases it rounds down, "
            "and the last pixels are skipped. The formula omits dilation d, which makes a filter "
            f"span d(f - 1) + 1 pixels: at d = {DILATIONS[-1]} a 3x3 filter with padding "
            f"{dilated[0][2]} turns {dilated[0][0]} pixels into {dilated_side}, not into "
            f"{claimed_side(*dilated[0])}."
        ),
        table=[
            {
                "n": n,
                "f": f,
                "p": p,
                "s": s,
                "dilation": dilation,
                "formula": claimed_side(n, f, p, s),
                "formula with d(f - 1) + 1": claimed_side(n, dilation * (f - 1) + 1, p, s),
                "torch": side,
            }
            for dilation, measured in zip(DILATIONS, by_dilation, strict=True)
            for (n, f, p, s), side in zip(dilated, measured, strict=True)
        ],
        charts=[draw_curves(line, line_sides)],
    )


CLAIM = Claim(
    id="A5",
    title="With stride s the side of the map is floor((n + 2p - f) / s) + 1",
    statements=(
        Statement(
            "A5",
            "An image of side n under a filter of side f, with padding p and stride s, gives a map "
            "of side floor((n + 2p - f) / s) + 1",
            Exact(),
        ),
    ),
    why="The formula applies to every convolution and pooling layer, including its rounding.",
    method=(
        f"The side of torch's maps is measured in {len(SMALL)} small and {len(GRID)} larger "
        "combinations of image, filter, padding and stride. The table also shows dilation, which "
        "the notes omit."
    ),
    measure=measure,
)

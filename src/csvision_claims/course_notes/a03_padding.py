"""A3: with padding p an n x n image gives (n + 2p - f + 1, n - 2p + f + 1)."""

from itertools import product

import torch
from torch.nn import functional as F

from csvision_claims.engine.charts import Curves, Series
from csvision_claims.engine.claim import Claim, Measurement, Statement
from csvision_claims.engine.jobs import Job
from csvision_claims.engine.rules import Comparison, Exact
from csvision_claims.engine.runner import Runner

Case = tuple[int, int, int]
"""Image side n, filter side f, padding p."""

GRID: list[Case] = list(product((7, 28, 32), (1, 2, 3, 5), (0, 1, 2, 3)))

WIDEST = 6


def first_term(size: int, filter_side: int, padding: int) -> int:
    """Return n + 2p - f + 1."""
    return size + 2 * padding - filter_side + 1


def second_term(size: int, filter_side: int, padding: int) -> int:
    """Return n - 2p + f + 1."""
    return size - 2 * padding + filter_side + 1


def measure_shapes(cases: list[Case]) -> list[tuple[int, int]]:
    """Return the height and width of torch's output map in each case."""
    found = []
    for size, filter_side, padding in cases:
        weights = torch.zeros(1, 1, filter_side, filter_side)
        maps = F.conv2d(torch.zeros(1, 1, size, size), weights, padding=padding)
        found.append((maps.shape[2], maps.shape[3]))
    return found


def draw_curves(cases: list[Case], widths: list[int]) -> Curves:
    """Show the width over the padding: measured, and by either term."""
    padding = [float(amount) for *_, amount in cases]
    first, second = ([float(term(*case)) for case in cases] for term in (first_term, second_term))
    size, filter_side, _ = cases[0]
    return Curves(
        f"width of the map of a {size}x{size} image under a {filter_side}x{filter_side} filter",
        "padding, pixels on each side",
        "width of the map",
        [
            Series("torch", padding, [float(width) for width in widths]),
            Series("n + 2p - f + 1", padding, first, dashed=True),
            Series("n - 2p + f + 1", padding, second, dashed=True),
        ],
        alt=(
            f"From padding 0 to {padding[-1]:.0f} the width rises from {widths[0]} to "
            f"{widths[-1]}, as the first term does; the second falls from {second[0]:.0f} to "
            f"{second[-1]:.0f}"
        ),
    )


def measure(runner: Runner) -> Measurement:
    """Compare both terms with the maps of torch."""
    line: list[Case] = [(28, 3, padding) for padding in range(WIDEST + 1)]
    grid_shapes, line_shapes = runner.run(
        [Job(measure_shapes, {"cases": GRID}), Job(measure_shapes, {"cases": line})]
    )
    example = line[1]
    height, width = line_shapes[1]
    cases = list(zip(GRID, grid_shapes, strict=True))
    wrong = sum(second_term(*case) != shape[1] for case, shape in cases)
    names = [f"n = {size}, f = {side}, p = {padding}" for size, side, padding in GRID]
    return Measurement(
        evidence={
            "A3a": [
                Comparison(name, first_term(*case), shape[0])
                for name, (case, shape) in zip(names, cases, strict=True)
            ],
            "A3b": [
                Comparison(name, second_term(*case), shape[1])
                for name, (case, shape) in zip(names, cases, strict=True)
            ],
        },
        finding=(
            "Both sides are n + 2p - f + 1; the notes' second term swaps plus and minus of 2p and "
            f"f. For n = {example[0]}, f = {example[1]} and p = {example[2]} the notes give "
            f"{first_term(*example)}x{second_term(*example)} where torch gives {height}x{width}. "
            f"The second term is wrong in {wrong} of {len(GRID)} cases, in all but those where "
            "f = 2p."
        ),
        table=[
            {
                "padding": case[2],
                "n + 2p - f + 1": first_term(*case),
                "n - 2p + f + 1": second_term(*case),
                "height": shape[0],
                "width": shape[1],
            }
            for case, shape in zip(line, line_shapes, strict=True)
        ],
        charts=[draw_curves(line, [shape[1] for shape in line_shapes])],
    )


CLAIM = Claim(
    id="A3",
    title="With padding p the output is (n + 2p - f + 1, n - 2p + f + 1)",
    statements=(
        Statement(
            "A3a",
            "An n x n image under an f x f filter, with padding p, gives a map n + 2p - f + 1 high",
            Exact(),
        ),
        Statement(
            "A3b",
            "An n x n image under an f x f filter, with padding p, gives a map n - 2p + f + 1 wide",
            Exact(),
        ),
    ),
    why="The layers of a network that follows the second term do not fit together.",
    method=(
        "Height and width of torch's maps are measured for square images and square filters in "
        f"{len(GRID)} combinations of image, filter and padding. Each term is compared with the "
        "side that it is given for."
    ),
    measure=measure,
)

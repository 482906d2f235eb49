"""A3: with padding p an image of n x n gives (n + 2p - f + 1, n - 2p + f + 1)."""

from itertools import product

import torch
from torch.nn import functional as F

from csvision.claims.bench import Bench
from csvision.claims.charts import Curves, Series
from csvision.claims.claim import Claim, Measurement, Statement
from csvision.claims.jobs import Job
from csvision.claims.rules import Comparison, Exact

GRID = list(product((7, 28, 32), (1, 2, 3, 5), (0, 1, 2, 3)))
"""Image side n, filter side f, padding p."""

WIDEST = 6


def first_term(size: int, filter_side: int, padding: int) -> int:
    """n + 2p - f + 1."""
    return size + 2 * padding - filter_side + 1


def second_term(size: int, filter_side: int, padding: int) -> int:
    """n - 2p + f + 1."""
    return size - 2 * padding + filter_side + 1


def shapes(cases: list[tuple[int, int, int]]) -> list[tuple[int, int]]:
    """Height and width of the map that torch makes of each case."""
    found = []
    for size, filter_side, padding in cases:
        weights = torch.zeros(1, 1, filter_side, filter_side)
        maps = F.conv2d(torch.zeros(1, 1, size, size), weights, padding=padding)
        found.append((maps.shape[2], maps.shape[3]))
    return found


def curves(cases: list[tuple[int, int, int]], widths: list[int]) -> Curves:
    """The width over the padding: measured, and by either term."""
    paddings = [float(padding) for *_, padding in cases]
    first, second = ([float(term(*case)) for case in cases] for term in (first_term, second_term))
    size, filter_side, _ = cases[0]
    return Curves(
        f"width of the map of {size}x{size} under a {filter_side}x{filter_side} filter",
        "padding, pixels on each side",
        "width of the map",
        [
            Series("torch", paddings, [float(width) for width in widths]),
            Series("n + 2p - f + 1", paddings, first, dashed=True),
            Series("n - 2p + f + 1", paddings, second, dashed=True),
        ],
        alt=(
            f"From padding 0 to {paddings[-1]:.0f} the width rises from {widths[0]} to "
            f"{widths[-1]}, as the first term does; the second falls from {second[0]:.0f} to "
            f"{second[-1]:.0f}"
        ),
    )


def measure(bench: Bench) -> Measurement:
    """Hold both terms against the maps that torch makes."""
    line = [(28, 3, padding) for padding in range(WIDEST + 1)]
    grid, lined = bench.run([Job(shapes, {"cases": GRID}), Job(shapes, {"cases": line})])
    example = line[1]
    height, width = lined[1]
    wrong = sum(second_term(*case) != shape[1] for case, shape in zip(GRID, grid, strict=True))
    names = [f"n = {size}, f = {side}, p = {padding}" for size, side, padding in GRID]
    return Measurement(
        evidence={
            "A3a": [
                Comparison(name, first_term(*case), shape[0])
                for name, case, shape in zip(names, GRID, grid, strict=True)
            ],
            "A3b": [
                Comparison(name, second_term(*case), shape[1])
                for name, case, shape in zip(names, GRID, grid, strict=True)
            ],
        },
        finding=(
            "Both sides are n + 2p - f + 1. The second term has its signs the wrong way round: "
            f"for n = {example[0]}, f = {example[1]} and p = {example[2]} the notes give "
            f"{first_term(*example)}x{second_term(*example)} where torch gives {height}x{width}. "
            f"It is wrong in {wrong} of {len(GRID)} cases, in all but those where f = 2p."
        ),
        table=[
            {
                "padding": case[2],
                "n + 2p - f + 1": first_term(*case),
                "n - 2p + f + 1": second_term(*case),
                "height": shape[0],
                "width": shape[1],
            }
            for case, shape in zip(line, lined, strict=True)
        ],
        charts=[curves(line, [shape[1] for shape in lined])],
    )


CLAIM = Claim(
    id="A3",
    title="With padding p: (n + 2p - f + 1, n - 2p + f + 1)",
    statements=(
        Statement(
            "A3a",
            "An image of n x n under a filter of f x f, with padding p, gives a map n + 2p - f + 1 "
            "high",
            Exact(),
        ),
        Statement("A3b", "... and n - 2p + f + 1 wide", Exact()),
    ),
    why="A network built by the second term does not fit together.",
    method=(
        "Height and width of the maps that torch makes of square images under square filters, for "
        f"{len(GRID)} choices of image, filter and padding. Each term is held against its side."
    ),
    measure=measure,
)

"""B13: pooling by maximum, minimum and others makes the maps smaller."""

from itertools import product
from typing import Any

import numpy as np
import torch
from torch import nn

from csvision.claims.bench import Bench
from csvision.claims.charts import Bars, Panel, Panels
from csvision.claims.claim import Claim, Measurement, Statement
from csvision.claims.jobs import Job
from csvision.claims.measuring.agreement import alike, difference_of
from csvision.claims.rules import Comparison, Exact
from csvision.data.table import read_table
from csvision.models.layers import pooling_layer
from csvision.schema import Pool

POOLS = (Pool.max, Pool.avg, Pool.min)

GRID = list(product(POOLS, (7, 14, 28), ((2, 2), (3, 3), (3, 2), (2, 1))))
"""Pooling, side of the map, side and stride of the window."""

DRAWS = (0, 1, 2)
IMAGES = 200
SHIRT = 6


def claimed_side(size: int, window: int, stride: int) -> int:
    """The formula of A5 without padding."""
    return (size - window) // stride + 1


def sides() -> list[int]:
    """The side of the map that comes out, for each case of the grid."""
    return [
        pooling_layer(pool, window, stride)(torch.zeros(1, 1, size, size)).shape[2]
        for pool, size, (window, stride) in GRID
    ]


def minima(window: int, stride: int, seed: int) -> tuple[float, float]:
    """-max(-x) from torch against the smallest value of each window, looked up by numpy."""
    values = torch.randn(
        (2, 3, 14, 14), generator=torch.Generator().manual_seed(seed), dtype=torch.float64
    )
    negated = -nn.functional.max_pool2d(-values, window, stride)
    views = np.lib.stride_tricks.sliding_window_view(values.numpy(), (window, window), (2, 3))
    return difference_of(views[:, :, ::stride, ::stride].min((4, 5)), negated)


def zeros(seed: int) -> dict[str, float]:
    """The share of zeros in maps of garments under a fresh convolution and ReLU, then pooled."""
    images = torch.from_numpy(read_table("embedded").images[:IMAGES]) / 255
    torch.manual_seed(seed)
    with torch.no_grad():
        maps = nn.Conv2d(1, 32, 3, padding=1)(images).relu()
        found = {"no pooling": maps}
        found |= {pool.value: pooling_layer(pool, 2, 2)(maps) for pool in POOLS}
    return {name: float((values == 0).double().mean()) for name, values in found.items()}


def pictures() -> dict[str, Any]:
    """A shirt as it is and after each pooling, 0 to 255."""
    table = read_table("embedded")
    assert table.labels is not None
    shirt = torch.from_numpy(table.images[table.labels == SHIRT][:1]).float()
    shown = {"as it is": shirt} | {pool.value: pooling_layer(pool, 2, 2)(shirt) for pool in POOLS}
    return {name: maps[0, 0].tolist() for name, maps in shown.items()}


def panels(images: dict[str, list[list[float]]]) -> Panels:
    """The shirt under each pooling."""
    means = {name: float(np.mean(image)) for name, image in images.items()}
    described = ", ".join(
        f"{name} {len(images[name])}x{len(images[name])} with a mean of {mean:.0f}"
        for name, mean in means.items()
    )
    return Panels(
        "a shirt, and what 2x2 poolings leave of it",
        [Panel(name, image, 0, 255) for name, image in images.items()],
        alt=f"A shirt: {described}; the maximum is the brightest, the minimum the darkest",
        columns=4,
    )


def bars(shares: dict[str, float]) -> Bars:
    """The share of zeros under each pooling."""
    percent = {name: 100 * share for name, share in shares.items()}
    return Bars(
        "zeros in the maps behind ReLU",
        "% of values",
        percent,
        alt="; ".join(f"{name} {share:.0f} %" for name, share in percent.items()),
    )


def measure(bench: Bench) -> Measurement:
    """Sizes, minima, and how many zeros are left behind ReLU."""
    measured, images = bench.run([Job(sides, {}), Job(pictures, {})])
    windows = [(window, stride, seed) for window, stride in ((2, 2), (3, 2)) for seed in DRAWS]
    pairs = bench.run([Job(minima, {"window": w, "stride": s, "seed": d}) for w, s, d in windows])
    drawn = bench.run([Job(zeros, {"seed": seed}) for seed in DRAWS])
    shares = {name: float(np.mean([draw[name] for draw in drawn])) for name in drawn[0]}
    apart = max(difference for _, difference in pairs)
    smaller = sum(side < size for (_, size, _), side in zip(GRID, measured, strict=True))
    return Measurement(
        evidence={
            "B13a": [
                Comparison(
                    f"{pool} {window}x{window}, stride {stride}, on {size}x{size}",
                    claimed_side(size, window, stride),
                    side,
                )
                for (pool, size, (window, stride)), side in zip(GRID, measured, strict=True)
            ],
            "B13b": [
                alike(f"{window}x{window}, stride {stride}, draw {seed}", *pair)
                for (window, stride, seed), pair in zip(windows, pairs, strict=True)
            ],
        },
        finding=(
            f"In {smaller} of {len(GRID)} cases the map becomes smaller, to the size that the "
            "formula gives. Minimum pooling is maximum pooling of the negated map; the two differ "
            f"by at most {apart:.1g}. Behind ReLU minima favour the zeros, and maxima the rest: "
            f"with fresh filters {100 * shares['min']:.0f} % of the minima are zero, against "
            f"{100 * shares['no pooling']:.0f} % of the values before pooling and "
            f"{100 * shares['max']:.0f} % of the maxima."
        ),
        table=[
            {
                "pooling 2x2": name,
                "side of the map": len(image),
                "values that are zero behind ReLU, %": 100 * share,
            }
            for (name, share), image in zip(shares.items(), images.values(), strict=True)
        ],
        charts=[panels(images), bars(shares)],
    )


CLAIM = Claim(
    id="B13",
    title="Pooling by maximum, minimum and others makes the maps smaller",
    statements=(
        Statement(
            "B13a",
            "Maximum, average and minimum pooling make a map of n x n smaller, to "
            "floor((n - f) / s) + 1",
            Exact(),
        ),
        Statement("B13b", "Minimum pooling of x is -max(-x)", Exact()),
    ),
    why="Smaller maps cost less from there on. Which value is kept decides what is left to see.",
    method=(
        f"The side that comes out of each pooling for {len(GRID)} maps and windows. Minima against "
        f"numpy's; zeros are counted on {IMAGES} garments behind fresh filters and ReLU, "
        f"{len(DRAWS)} draws."
    ),
    measure=measure,
)

"""B13: max pooling, min pooling and others make the maps smaller."""

from itertools import product
from typing import Any

import numpy as np
import torch
from torch import nn

from csvision import Pool, pooling_layer, read_table
from csvision_claims.engine.charts import Bars, Panel, Panels
from csvision_claims.engine.claim import Claim, Measurement, Statement
from csvision_claims.engine.jobs import Job
from csvision_claims.engine.rules import Comparison, Exact
from csvision_claims.engine.runner import Runner
from csvision_claims.measuring.agreement import agreement_case, compare_arrays
from csvision_claims.measuring.output_sides import claimed_side

POOLS = (Pool.max, Pool.avg, Pool.min)

GRID = list(product(POOLS, (7, 14, 28), ((2, 2), (3, 3), (3, 2), (2, 1))))
"""Pooling, side of the map, side and stride of the window."""

DRAWS = (0, 1, 2)
IMAGES = 200
SHIRT = 6


def measure_sides() -> list[int]:
    """Return the side of the output map in each case of the grid."""
    return [
        pooling_layer(pool, window, stride)(torch.zeros(1, 1, size, size)).shape[2]
        for pool, size, (window, stride) in GRID
    ]


def compare_minima(window: int, stride: int, seed: int) -> tuple[float, float]:
    """Compare torch's -max(-x) with the minimum of each window, found by numpy."""
    values = torch.randn(
        (2, 3, 14, 14), generator=torch.Generator().manual_seed(seed), dtype=torch.float64
    )
    negated = -nn.functional.max_pool2d(-values, window, stride)
    views = np.lib.stride_tricks.sliding_window_view(values.numpy(), (window, window), (2, 3))
    return compare_arrays(views[:, :, ::stride, ::stride].min((4, 5)), negated)


def share_of_zeros(seed: int) -> dict[str, float]:
    """Return the share of zeros after an untrained convolution, ReLU and each pooling."""
    images = torch.from_numpy(read_table("bundled").images[:IMAGES]) / 255
    torch.manual_seed(seed)
    with torch.no_grad():
        maps = nn.Conv2d(1, 32, 3, padding=1)(images).relu()
        found = {"no pooling": maps}
        found |= {pool.value: pooling_layer(pool, 2, 2)(maps) for pool in POOLS}
    return {name: float((values == 0).double().mean()) for name, values in found.items()}


def pooled_pictures() -> dict[str, Any]:
    """Return a shirt, original and after each pooling, 0 to 255."""
    table = read_table("bundled")
    assert table.labels is not None
    shirt = torch.from_numpy(table.images[table.labels == SHIRT][:1]).float()
    pictures = {"original": shirt}
    pictures |= {pool.value: pooling_layer(pool, 2, 2)(shirt) for pool in POOLS}
    return {name: maps[0, 0].tolist() for name, maps in pictures.items()}


def draw_panels(pictures: dict[str, list[list[float]]]) -> Panels:
    """Show the shirt after each pooling."""
    described = ", ".join(
        f"{name} {len(image)}x{len(image)} with a mean of {float(np.mean(image)):.0f}"
        for name, image in pictures.items()
    )
    return Panels(
        "a shirt, original and after 2x2 pooling",
        [Panel(name, image, 0, 255) for name, image in pictures.items()],
        alt=f"A shirt: {described}; the maximum is the brightest, the minimum the darkest",
        columns=4,
    )


def draw_bars(shares: dict[str, float]) -> Bars:
    """Show the share of zeros after each pooling."""
    percent = {name: 100 * share for name, share in shares.items()}
    return Bars(
        "zeros in the maps after ReLU",
        "% of values",
        percent,
        alt="; ".join(f"{name} {share:.0f} %" for name, share in percent.items()),
    )


def measure(runner: Runner) -> Measurement:
    """Measure sizes and minima, and count zeros after ReLU."""
    sides, pictures = runner.run([Job(measure_sides, {}), Job(pooled_pictures, {})])
    windows = [(window, stride, seed) for window, stride in ((2, 2), (3, 2)) for seed in DRAWS]
    minima = runner.run(
        [Job(compare_minima, {"window": w, "stride": s, "seed": d}) for w, s, d in windows]
    )
    zeros = runner.run([Job(share_of_zeros, {"seed": seed}) for seed in DRAWS])
    shares = {name: float(np.mean([draw[name] for draw in zeros])) for name in zeros[0]}
    largest = max(difference for _, difference in minima)
    smaller = sum(side < size for (_, size, _), side in zip(GRID, sides, strict=True))
    return Measurement(
        evidence={
            "B13a": [
                Comparison(
                    f"{pool} {window}x{window}, stride {stride}, on {size}x{size}",
                    claimed_side(size, window, stride=stride),
                    side,
                )
                for (pool, size, (window, stride)), side in zip(GRID, sides, strict=True)
            ],
            "B13b": [
                agreement_case(f"{window}x{window}, stride {stride}, draw {seed}", *pair)
                for (window, stride, seed), pair in zip(windows, minima, strict=True)
            ],
        },
        finding=(
            f"All kinds of pooling make the map smaller, in {smaller} of {len(GRID)} cases, and to "
            "the size that the formula gives. Min pooling is max pooling of the negated map: the "
            f"two differ by at most {largest:.1g}. After ReLU, min pooling favors zeros and max "
            f"pooling the other values: with untrained filters {100 * shares['min']:.0f} % of the "
            f"minima are zero, against {100 * shares['no pooling']:.0f} % of the values before "
            f"pooling and {100 * shares['max']:.0f} % of the maxima."
        ),
        table=[
            {
                "pooling 2x2": name,
                "side of the map": len(image),
                "zeros after ReLU, %": 100 * share,
            }
            for (name, share), image in zip(shares.items(), pictures.values(), strict=True)
        ],
        charts=[draw_panels(pictures), draw_bars(shares)],
    )


CLAIM = Claim(
    id="B13",
    title="Max, min and other kinds of pooling make the maps smaller",
    statements=(
        Statement(
            "B13a",
            "Max, average and min pooling with window f and stride s reduce a map of side n to "
            "floor((n - f) / s) + 1",
            Exact(),
        ),
        Statement("B13b", "Min pooling of x is -max(-x)", Exact()),
    ),
    why="Smaller maps reduce the cost of later layers. The kind of pooling decides what is kept.",
    method=(
        f"The side of the output is measured for {len(GRID)} combinations of pooling, map and "
        "window, and minima are compared with numpy's. Zeros are counted on "
        f"{IMAGES} garments after untrained filters and ReLU, in {len(DRAWS)} draws."
    ),
    measure=measure,
)

"""B6: without padding, border pixels are used less than center pixels."""

from typing import Any

import torch

from csvision import read_table
from csvision_claims.engine.charts import Panel, Panels
from csvision_claims.engine.claim import Claim, Measurement, Statement
from csvision_claims.engine.jobs import Job
from csvision_claims.engine.rules import Comparison, Exact
from csvision_claims.engine.runner import Runner
from csvision_claims.measuring.border_usage import (
    GRID,
    PICTURED,
    POSITIONS,
    Counts,
    count_uses,
    select_positions,
)

BRIGHT = 64
"""A pixel value, of 0 to 255, that clearly belongs to a garment and not to the background."""


def claimed_uses(filter_side: int) -> dict[str, int]:
    """Return 1, f and f * f."""
    return dict(zip(POSITIONS, (1, filter_side, filter_side**2), strict=True))


def measure_borders() -> dict[str, Any]:
    """Return what the bundled images have in their outermost ring of pixels."""
    images = torch.from_numpy(read_table("bundled").images)[:, 0].long()
    ring = torch.ones(images.shape[1:], dtype=torch.bool)
    ring[1:-1, 1:-1] = False
    outermost = images[:, ring]
    return {
        "images": len(images),
        "bright": float((outermost >= BRIGHT).any(1).double().mean()),
        "light": float(outermost.sum() / images.sum()),
        "area": float(ring.double().mean()),
    }


def draw_heat_map(counts: Counts, filter_side: int) -> Panels:
    """Show the counts."""
    found = select_positions(counts)
    values = [[float(count) for count in line] for line in counts]
    return Panels(
        f"how often a {filter_side}x{filter_side} filter uses each pixel, without padding",
        [Panel("", values, 0)],
        alt=(
            f"An image of {len(counts)}x{len(counts)}: corner pixels are used {found['corner']} "
            f"time, pixels in the middle of an edge {found['edge']} times, center pixels "
            f"{found['center']} times"
        ),
        style="heat",
        columns=1,
    )


def measure(runner: Runner) -> Measurement:
    """Count the uses of each pixel, and measure the borders of the garments."""
    counted = runner.run([Job(count_uses, {"size": n, "filter_side": f}) for n, f in GRID])
    counts = dict(zip(GRID, counted, strict=True))
    (border,) = runner.run([Job(measure_borders, {})])
    pictured = counts[PICTURED]
    found = select_positions(pictured)
    return Measurement(
        evidence={
            "B6": [
                Comparison(
                    f"n = {n}, f = {f}: {position}",
                    claimed,
                    select_positions(counts[n, f])[position],
                )
                for n, f in GRID
                for position, claimed in claimed_uses(f).items()
            ]
        },
        finding=(
            "Border pixels are used less, but garments have little there: a 3x3 filter uses a "
            f"corner pixel {found['corner']} time, a pixel in the middle of an edge "
            f"{found['edge']} times and a center pixel {found['center']} times. Of "
            f"{border['images']:,} garments, {100 * border['bright']:.0f} % have a value of "
            f"{BRIGHT} or more in the outermost ring of pixels, but this ring is "
            f"{100 * border['area']:.0f} % of the area and holds only "
            f"{100 * border['light']:.0f} % of the brightness."
        ),
        table=[
            {"image": f"{n}x{n}", "filter": f"{f}x{f}", **select_positions(counts[n, f])}
            for n, f in GRID
        ],
        charts=[draw_heat_map(pictured, PICTURED[1])],
    )


CLAIM = Claim(
    id="B6",
    title="Border pixels are used less",
    statements=(
        Statement(
            "B6",
            "Without padding an f x f filter uses a corner pixel once, a pixel in the middle of an "
            "edge f times and a center pixel f x f times",
            Exact(),
        ),
    ),
    why="Border pixels have less influence on the maps; padding is meant to fix this (B7).",
    method=(
        "The gradient of the sum of all outputs of a filter of ones counts how often each pixel is "
        "used. The outermost ring of pixels of the bundled images shows how much of a garment lies "
        "there."
    ),
    measure=measure,
)

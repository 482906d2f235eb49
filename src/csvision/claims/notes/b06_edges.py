"""B6: without padding the pixels at the edge are used less than those in the middle."""

from typing import Any

import torch
from torch.nn import functional as F

from csvision.claims.bench import Bench
from csvision.claims.charts import Panel, Panels
from csvision.claims.claim import Claim, Measurement, Statement
from csvision.claims.jobs import Job
from csvision.claims.rules import Comparison, Exact
from csvision.data.table import read_table

CHOICES = [(size, filter_side) for size in (9, 28) for filter_side in (3, 5)]
"""Sides of image and filter; in an image of twice the filter's side there is a middle."""

PICTURED = (9, 3)

PLACES = ("corner", "edge", "middle")

BRIGHT = 64
"""A pixel of a garment, of 0 to 255, that no one would take for background."""


def uses(size: int, filter_side: int) -> list[list[int]]:
    """How often each pixel is under the filter: the gradient of the sum of all patch sums."""
    image = torch.ones(1, 1, size, size, dtype=torch.float64, requires_grad=True)
    F.conv2d(
        image, torch.ones(1, 1, filter_side, filter_side, dtype=torch.float64)
    ).sum().backward()
    assert image.grad is not None
    counts: list[list[int]] = image.grad[0, 0].long().tolist()
    return counts


def at_places(counts: list[list[int]]) -> dict[str, int]:
    """The uses of a corner pixel, of one amid an edge and of one in the middle."""
    middle = len(counts) // 2
    return dict(zip(PLACES, (counts[0][0], counts[0][middle], counts[middle][middle]), strict=True))


def claimed_uses(filter_side: int) -> dict[str, int]:
    """1, f and f * f."""
    return dict(zip(PLACES, (1, filter_side, filter_side**2), strict=True))


def borders() -> dict[str, Any]:
    """What the embedded images have in their outermost ring of pixels."""
    images = torch.from_numpy(read_table("embedded").images)[:, 0].long()
    ring = torch.ones(images.shape[1:], dtype=torch.bool)
    ring[1:-1, 1:-1] = False
    outermost = images[:, ring]
    return {
        "images": len(images),
        "bright": float((outermost >= BRIGHT).any(1).double().mean()),
        "light": float(outermost.sum() / images.sum()),
        "area": float(ring.double().mean()),
    }


def heat(counts: list[list[int]], filter_side: int) -> Panels:
    """The counts as a heat map."""
    found = at_places(counts)
    values = [[float(count) for count in line] for line in counts]
    return Panels(
        f"how often a {filter_side}x{filter_side} filter uses each pixel, without padding",
        [Panel("", values, 0)],
        alt=(
            f"An image of {len(counts)}x{len(counts)}: corner pixels are used {found['corner']} "
            f"time, those amid an edge {found['edge']} times, those inside {found['middle']} times"
        ),
        style="heat",
        columns=1,
    )


def measure(bench: Bench) -> Measurement:
    """Count the uses of each pixel, and look at what the garments have at their border."""
    counted = bench.run([Job(uses, {"size": n, "filter_side": f}) for n, f in CHOICES])
    counts = dict(zip(CHOICES, counted, strict=True))
    (border,) = bench.run([Job(borders, {})])
    pictured = counts[PICTURED]
    found = at_places(pictured)
    return Measurement(
        evidence={
            "B6": [
                Comparison(f"n = {n}, f = {f}: {place}", claimed, at_places(counts[n, f])[place])
                for n, f in CHOICES
                for place, claimed in claimed_uses(f).items()
            ]
        },
        finding=(
            f"A 3x3 filter uses a corner pixel {found['corner']} time, one amid an edge "
            f"{found['edge']} times and one inside {found['middle']} times. Garments do "
            f"reach the outermost ring of pixels: {100 * border['bright']:.0f} % of "
            f"{border['images']:,} have a value of {BRIGHT} or more there. But little of them lies "
            f"in it: the ring is {100 * border['area']:.0f} % of the area and holds "
            f"{100 * border['light']:.0f} % of the brightness."
        ),
        table=[
            {"image": f"{n}x{n}", "filter": f"{f}x{f}", **at_places(counts[n, f])}
            for n, f in CHOICES
        ],
        charts=[heat(pictured, PICTURED[1])],
    )


CLAIM = Claim(
    id="B6",
    title="Edge pixels are used less",
    statements=(
        Statement(
            "B6",
            "Without padding an f x f filter uses a corner pixel once, one amid an edge f times "
            "and one in the middle f x f times",
            Exact(),
        ),
    ),
    why="What lies at the border has less say in the maps; padding is meant to cure it (B7).",
    method=(
        "The gradient of the sum of all patches under a filter of ones counts how often each "
        "pixel is used. The outermost ring of pixels of the embedded images tells how much lies "
        "there."
    ),
    measure=measure,
)

"""A2: an image of n x n under a filter of f x f gives (n - f + 1) x (n - f + 1)."""

from typing import Any

import torch
from torch.nn import functional as F

from csvision.claims.bench import Bench
from csvision.claims.charts import Curves, Series
from csvision.claims.claim import Claim, Measurement, Statement
from csvision.claims.jobs import Job
from csvision.claims.measuring.agreement import alike, difference_of
from csvision.claims.rules import Comparison, Exact

LARGEST = 32
"""Every image up to this side is tried with every filter that fits on it."""

SHOWN = [
    (size, side)
    for size in (3, 5, 7, 8, 14, 28, 32)
    for side in (1, 2, 3, 5, 7, 11)
    if side <= size
]

CHANNELS = (1, 3, 16)
FILTERS = (1, 2, 32)


def claimed_side(size: int, filter_side: int) -> int:
    """n - f + 1."""
    return size - filter_side + 1


def sides() -> list[tuple[int, int, int]]:
    """Image side, filter side and the side of the map that torch makes."""
    found = []
    for size in range(1, LARGEST + 1):
        for filter_side in range(1, size + 1):
            image = torch.zeros(1, 1, size, size)
            maps = F.conv2d(image, torch.zeros(1, 1, filter_side, filter_side))
            assert maps.shape[2] == maps.shape[3]
            found.append((size, filter_side, maps.shape[2]))
    return found


def maps_of_channels(size: int, filter_side: int, seed: int) -> list[dict[str, Any]]:
    """What images of several channels become under several filters, in float64.

    `difference` is that of the first map from the sum of what each channel gives by itself.
    """
    generator = torch.Generator().manual_seed(seed)
    found = []
    for channels in CHANNELS:
        image = torch.randn(1, channels, size, size, generator=generator, dtype=torch.float64)
        for filters in FILTERS:
            shape = (filters, channels, filter_side, filter_side)
            weights = torch.randn(shape, generator=generator, dtype=torch.float64)
            maps = F.conv2d(image, weights)
            single = [
                F.conv2d(image[:, [channel]], weights[:1, [channel]]) for channel in range(channels)
            ]
            found.append(
                {
                    "channels": channels,
                    "filters": filters,
                    "maps": maps.shape[1],
                    "side": maps.shape[2],
                    "difference": difference_of(torch.cat(single).sum(0), maps[0, 0]),
                }
            )
    return found


def channel_cases(found: list[dict[str, Any]], size: int, filter_side: int) -> list[Comparison]:
    """For each number of channels and filters: how many maps, how large, summed over channels."""
    cases = []
    for row in found:
        case = f"{row['channels']} channels, {row['filters']} filters"
        cases += [
            Comparison(f"{case}: maps", row["filters"], row["maps"]),
            Comparison(f"{case}: side", claimed_side(size, filter_side), row["side"]),
        ]
        if row["filters"] == 1:
            cases.append(alike(f"{case}: sum over channels", *row["difference"]))
    return cases


def curves(found: list[tuple[int, int, int]]) -> Curves:
    """The side of the map over that of the image, for four filters."""
    series = []
    for filter_side in (1, 3, 7, 15):
        points = [(size, side) for size, used, side in found if used == filter_side]
        x, y = ([float(value) for value in axis] for axis in zip(*points, strict=True))
        series.append(Series(f"filter {filter_side}x{filter_side}", x, y))
    ends = ", ".join(f"{line.y[-1]:.0f} under a {line.name}" for line in series)
    return Curves(
        "side of the map that torch makes",
        "side of the image, pixels",
        "side of the map",
        series,
        alt=f"Parallel lines; an image of side {LARGEST} gives a side of {ends}",
    )


def measure(bench: Bench) -> Measurement:
    """Count what torch gives."""
    size, filter_side = 28, 3
    (found,) = bench.run([Job(sides, {})])
    (channels,) = bench.run(
        [Job(maps_of_channels, {"size": size, "filter_side": filter_side, "seed": 0})]
    )
    measured = {(image, used): side for image, used, side in found}
    agreeing = sum(side == claimed_side(image, used) for image, used, side in found)
    most = max(channels, key=lambda row: (row["channels"], row["filters"]))
    return Measurement(
        evidence={
            "A2a": [
                Comparison(f"all pairs up to n = {LARGEST} that agree", len(found), agreeing),
                *(
                    Comparison(f"n = {image}, f = {used}", claimed_side(image, used), side)
                    for (image, used) in SHOWN
                    for side in [measured[image, used]]
                ),
            ],
            "A2b": channel_cases(channels, size, filter_side),
        },
        finding=(
            f"n - f + 1 is the side in {agreeing} of {len(found)} pairs of image and filter. The "
            "channels are summed: a filter gives one map whatever the channels, and "
            f"{most['filters']} filters on {most['channels']} channels of {size}x{size} give "
            f"{most['maps']} maps of {most['side']}x{most['side']}."
        ),
        table=[
            {
                "channels": row["channels"],
                "filters": row["filters"],
                "maps": row["maps"],
                "side of a map": row["side"],
            }
            for row in channels
        ],
        charts=[curves(found)],
    )


CLAIM = Claim(
    id="A2",
    title="n x n under a filter of f x f gives (n-f+1) x (n-f+1)",
    statements=(
        Statement(
            "A2a",
            "An image of n x n under a filter of f x f gives (n - f + 1) x (n - f + 1)",
            Exact(),
        ),
        Statement(
            "A2b",
            "So does an image of c channels: a filter sums over them to one map, K filters make "
            "K maps",
            Exact(),
        ),
    ),
    why="Whoever stacks layers needs their sizes; the dense layer at the end depends on them.",
    method=(
        f"The shape that torch gives for every image up to {LARGEST}x{LARGEST} and every filter "
        "that fits on it. For several channels and filters also the values in float64: the map of "
        "all channels against the sum of the maps of each."
    ),
    measure=measure,
)

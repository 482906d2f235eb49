"""A2: an n x n image under an f x f filter gives (n - f + 1) x (n - f + 1)."""

from typing import Any

import torch
from torch.nn import functional as F

from csvision_claims.engine.charts import Curves, Series
from csvision_claims.engine.claim import Claim, Measurement, Statement
from csvision_claims.engine.jobs import Job
from csvision_claims.engine.rules import Comparison, Exact
from csvision_claims.engine.runner import Runner
from csvision_claims.measuring.agreement import agreement_case, compare_arrays
from csvision_claims.measuring.output_sides import claimed_side

LARGEST = 32
"""Images up to this side are tried with every filter that fits on them."""

SHOWN = [
    (size, side)
    for size in (3, 5, 7, 8, 14, 28, 32)
    for side in (1, 2, 3, 5, 7, 11)
    if side <= size
]

CHANNELS = (1, 3, 16)
FILTERS = (1, 2, 32)


def measure_sides() -> list[tuple[int, int, int]]:
    """Return image side, filter side and the side of torch's output map."""
    found = []
    for size in range(1, LARGEST + 1):
        for filter_side in range(1, size + 1):
            image = torch.zeros(1, 1, size, size)
            maps = F.conv2d(image, torch.zeros(1, 1, filter_side, filter_side))
            assert maps.shape[2] == maps.shape[3]
            found.append((size, filter_side, maps.shape[2]))
    return found


def measure_channels(size: int, filter_side: int, seed: int) -> list[dict[str, Any]]:
    """Apply several filters to images of several channels, in float64.

    `difference` compares the first map with the sum of the maps of the single channels.
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
                    "difference": compare_arrays(torch.cat(single).sum(0), maps[0, 0]),
                }
            )
    return found


def channel_cases(found: list[dict[str, Any]], size: int, filter_side: int) -> list[Comparison]:
    """Return the cases for number of maps, side of the maps, and sum over channels."""
    cases = []
    for row in found:
        case = f"{row['channels']} channels, {row['filters']} filters"
        cases += [
            Comparison(f"{case}: maps", row["filters"], row["maps"]),
            Comparison(f"{case}: side", claimed_side(size, filter_side), row["side"]),
        ]
        if row["filters"] == 1:
            cases.append(agreement_case(f"{case}: sum over channels", *row["difference"]))
    return cases


def draw_curves(found: list[tuple[int, int, int]]) -> Curves:
    """Show the side of the map over that of the image for four filters."""
    series = []
    for filter_side in (1, 3, 7, 15):
        points = [(size, side) for size, used, side in found if used == filter_side]
        x, y = ([float(value) for value in axis] for axis in zip(*points, strict=True))
        series.append(Series(f"{filter_side}x{filter_side} filter", x, y))
    ends = ", ".join(f"{line.y[-1]:.0f} with a {line.name}" for line in series)
    return Curves(
        "side of torch's output map",
        "side of the image, pixels",
        "side of the map",
        series,
        alt=f"Parallel lines; an image of side {LARGEST} gives a map of side {ends}",
    )


def measure(runner: Runner) -> Measurement:
    """Compare the formula with the maps of torch."""
    size, filter_side = 28, 3
    (found,) = runner.run([Job(measure_sides, {})])
    (channels,) = runner.run(
        [Job(measure_channels, {"size": size, "filter_side": filter_side, "seed": 0})]
    )
    measured = {(image, used): side for image, used, side in found}
    agreeing = sum(side == claimed_side(image, used) for image, used, side in found)
    most = max(channels, key=lambda row: (row["channels"], row["filters"]))
    return Measurement(
        evidence={
            "A2a": [
                Comparison(f"pairs up to n = {LARGEST} that agree", len(found), agreeing),
                *(
                    Comparison(f"n = {image}, f = {used}", claimed_side(image, used), side)
                    for (image, used) in SHOWN
                    for side in [measured[image, used]]
                ),
            ],
            "A2b": channel_cases(channels, size, filter_side),
        },
        finding=(
            f"The formula is right: n - f + 1 is the side in {agreeing} of {len(found)} pairs of "
            "image and filter. Channels are summed: a filter gives one map for any number of "
            f"channels, and {most['filters']} filters on {most['channels']} channels of "
            f"{size}x{size} give {most['maps']} maps of {most['side']}x{most['side']}."
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
        charts=[draw_curves(found)],
    )


CLAIM = Claim(
    id="A2",
    title="An n x n image under an f x f filter gives (n - f + 1) x (n - f + 1)",
    statements=(
        Statement(
            "A2a",
            "An n x n image under an f x f filter gives a map of (n - f + 1) x (n - f + 1)",
            Exact(),
        ),
        Statement(
            "A2b",
            "An n x n image of c channels gives maps of (n - f + 1) x (n - f + 1), too: an f x f "
            "filter sums over the channels to one map, and K filters give K maps",
            Exact(),
        ),
    ),
    why="The sizes of stacked layers follow from it, and with them the size of the dense layer.",
    method=(
        f"torch's output is measured for every image up to {LARGEST}x{LARGEST} and every filter "
        "that fits on it. For several channels and filters, the map of all channels is also "
        "compared with the sum of the maps of the single channels, in float64."
    ),
    measure=measure,
)

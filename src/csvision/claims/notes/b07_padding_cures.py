"""B7: padding cures the unequal use of the pixels at the edge."""

import torch
from torch.nn import functional as F

from csvision.claims.bench import Bench
from csvision.claims.charts import Panel, Panels
from csvision.claims.claim import Claim, Measurement, Statement
from csvision.claims.jobs import Job
from csvision.claims.rules import Comparison, Exact

Counts = list[list[int]]

CHOICES = [(size, filter_side) for size in (9, 28) for filter_side in (3, 5)]
"""Sides of image and filter."""

PICTURED = (9, 3)

PLACES = ("corner", "edge", "middle")

MODES = {
    "none": ("constant", 0),
    "1 pixel of zeros": ("constant", 1),
    "1 pixel, reflected": ("reflect", 1),
    "1 pixel, replicated": ("replicate", 1),
    "1 pixel, circular": ("circular", 1),
    "full, 2 pixels of zeros": ("constant", 2),
}
"""Paddings for a 3x3 filter, with what fills them and how wide they are."""


def uses(size: int, filter_side: int, padding: int, mode: str = "constant") -> Counts:
    """How often each pixel has a part in a patch sum: the gradient of the sum of them all."""
    image = torch.ones(1, 1, size, size, dtype=torch.float64, requires_grad=True)
    ones = torch.ones(1, 1, filter_side, filter_side, dtype=torch.float64)
    F.conv2d(F.pad(image, (padding,) * 4, mode), ones).sum().backward()
    assert image.grad is not None
    counts: Counts = image.grad[0, 0].long().tolist()
    return counts


def at_places(counts: Counts) -> dict[str, int]:
    """The uses of a corner pixel, of one amid an edge and of one in the middle."""
    middle = len(counts) // 2
    return dict(zip(PLACES, (counts[0][0], counts[0][middle], counts[middle][middle]), strict=True))


def cases(counts: dict[tuple[int, int], Counts]) -> list[Comparison]:
    """Used f x f times everywhere, as the middle is: at three places, and how many pixels are."""
    found = []
    for (size, filter_side), grid in counts.items():
        case, all_equal = f"n = {size}, f = {filter_side}", filter_side**2
        found += [
            Comparison(f"{case}: {place}", all_equal, count)
            for place, count in at_places(grid).items()
        ]
        equal = sum(line.count(all_equal) for line in grid)
        found.append(Comparison(f"{case}: pixels used {all_equal} times", size**2, equal))
    return found


def heat(grids: dict[str, Counts]) -> Panels:
    """Heat maps of the counts on one scale."""
    highest = float(max(max(line) for grid in grids.values() for line in grid))
    described = "; ".join(
        f"{name}: " + ", ".join(f"{place} {count}" for place, count in at_places(grid).items())
        for name, grid in grids.items()
    )
    return Panels(
        "how often a 3x3 filter uses each pixel, by padding",
        [
            Panel(name, [[float(count) for count in line] for line in grid], 0, highest)
            for name, grid in grids.items()
        ],
        alt=described,
        style="heat",
        columns=3,
    )


def measure(bench: Bench) -> Measurement:
    """Count the uses under each padding."""

    def counted(full: bool) -> dict[tuple[int, int], Counts]:
        jobs = [
            Job(uses, {"size": n, "filter_side": f, "padding": f - 1 if full else (f - 1) // 2})
            for n, f in CHOICES
        ]
        return dict(zip(CHOICES, bench.run(jobs), strict=True))

    same, full = counted(full=False), counted(full=True)
    size, filter_side = PICTURED
    jobs = [
        Job(uses, {"size": size, "filter_side": filter_side, "padding": width, "mode": mode})
        for mode, width in MODES.values()
    ]
    grids = dict(zip(MODES, bench.run(jobs), strict=True))
    found = {name: at_places(grid) for name, grid in grids.items()}
    one, whole = (
        "/".join(str(count) for count in at_places(counts[PICTURED]).values())
        for counts in (same, full)
    )
    side = size + filter_side - 1
    even = [name for name, grid in grids.items() if len({c for line in grid for c in line}) == 1]
    return Measurement(
        evidence={"B7a": cases(same), "B7b": cases(full)},
        finding=(
            f"Padding with one pixel of zeros gives {one} uses of a corner, an edge and the middle "
            f"under a 3x3 filter: the difference is smaller, not gone. Full padding gives {whole}, "
            f"and a map of {side}x{side} from {size}x{size}. Of {len(grids)} paddings tried those "
            f"with equal use are: {'; '.join(even)}. Those of one pixel among them take the other "
            "side of the image, or an edge pixel itself, for its neighbour."
        ),
        table=[
            {
                "padding": name,
                **found[name],
                "least": min(min(line) for line in grid),
                "most": max(max(line) for line in grid),
            }
            for name, grid in grids.items()
        ],
        charts=[heat(grids)],
    )


CLAIM = Claim(
    id="B7",
    title="Padding cures the unequal use of edge pixels",
    statements=(
        Statement(
            "B7a",
            "Padding with (f - 1) / 2 pixels, one for a filter of 3x3 (f = 3), makes all pixels be "
            "used equally often",
            Exact(),
        ),
        Statement(
            "B7b",
            "Full padding, with f - 1 pixels, makes all pixels be used equally often",
            Exact(),
        ),
    ),
    why=(
        "The padding in daily use keeps the size and halves the problem. That its zeros tell a "
        "network where it is, is another matter (B15)."
    ),
    method=(
        "The gradient of the sum of all patches under a filter of ones counts how often each "
        "pixel is used, as in B6, for several paddings. Equal use means f x f times everywhere."
    ),
    measure=measure,
)

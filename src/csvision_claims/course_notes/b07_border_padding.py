"""B7: padding fixes the unequal use of border pixels."""

from csvision_claims.engine.charts import Panel, Panels
from csvision_claims.engine.claim import Claim, Measurement, Statement
from csvision_claims.engine.jobs import Job
from csvision_claims.engine.rules import Comparison, Exact
from csvision_claims.engine.runner import Runner
from csvision_claims.measuring.border_usage import (
    GRID,
    PICTURED,
    Counts,
    count_uses,
    select_positions,
)

PADDINGS = {
    "none": ("constant", 0),
    "1 pixel of zeros": ("constant", 1),
    "1 pixel, reflected": ("reflect", 1),
    "1 pixel, replicated": ("replicate", 1),
    "1 pixel, circular": ("circular", 1),
    "full, 2 pixels of zeros": ("constant", 2),
}
"""Padding mode and amount for a 3x3 filter."""


def equal_use_cases(counts: dict[tuple[int, int], Counts]) -> list[Comparison]:
    """Return the cases that claim f x f uses: at three positions, and the number of pixels."""
    cases = []
    for (size, filter_side), grid in counts.items():
        case, expected = f"n = {size}, f = {filter_side}", filter_side**2
        cases += [
            Comparison(f"{case}: {position}", expected, count)
            for position, count in select_positions(grid).items()
        ]
        equal = sum(line.count(expected) for line in grid)
        cases.append(Comparison(f"{case}: pixels used {expected} times", size**2, equal))
    return cases


def draw_heat_maps(grids: dict[str, Counts]) -> Panels:
    """Show the counts under each padding on one scale."""
    highest = float(max(max(line) for grid in grids.values() for line in grid))
    described = "; ".join(
        f"{name}: "
        + ", ".join(f"{position} {count}" for position, count in select_positions(grid).items())
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


def measure(runner: Runner) -> Measurement:
    """Count the uses under each padding."""

    def count_grid(full: bool) -> dict[tuple[int, int], Counts]:
        jobs = [
            Job(
                count_uses,
                {"size": n, "filter_side": f, "padding": f - 1 if full else (f - 1) // 2},
            )
            for n, f in GRID
        ]
        return dict(zip(GRID, runner.run(jobs), strict=True))

    same, full = count_grid(full=False), count_grid(full=True)
    size, filter_side = PICTURED
    jobs = [
        Job(
            count_uses,
            {"size": size, "filter_side": filter_side, "padding": amount, "padding_mode": mode},
        )
        for mode, amount in PADDINGS.values()
    ]
    grids = dict(zip(PADDINGS, runner.run(jobs), strict=True))
    same_uses, full_uses = (
        "/".join(str(count) for count in select_positions(counts[PICTURED]).values())
        for counts in (same, full)
    )
    side = size + filter_side - 1
    equal = [name for name, grid in grids.items() if len({c for line in grid for c in line}) == 1]
    return Measurement(
        evidence={"B7a": equal_use_cases(same), "B7b": equal_use_cases(full)},
        finding=(
            "The usual padding only reduces the difference; full padding removes it. One pixel of "
            f"zeros gives {same_uses} uses of a corner, an edge and a center pixel under a 3x3 "
            f"filter. Full padding gives {full_uses}, and turns {size}x{size} into a map of "
            f"{side}x{side}. Of {len(grids)} kinds of padding, these give equal use: "
            f"{'; '.join(equal)}; those of one pixel do so by using the opposite side of the "
            "image, or the border pixel itself, as a neighbor."
        ),
        table=[
            {
                "padding": name,
                **select_positions(grid),
                "minimum": min(min(line) for line in grid),
                "maximum": max(max(line) for line in grid),
            }
            for name, grid in grids.items()
        ],
        charts=[draw_heat_maps(grids)],
    )


CLAIM = Claim(
    id="B7",
    title="Padding fixes the unequal use of border pixels",
    statements=(
        Statement(
            "B7a",
            "With padding by (f - 1) / 2 pixels, one for a 3x3 filter, all pixels are used equally "
            "often",
            Exact(),
        ),
        Statement(
            "B7b",
            "With full padding, by f - 1 pixels, all pixels are used equally often",
            Exact(),
        ),
    ),
    why=(
        "The usual padding preserves the size and halves the problem. That its zeros reveal "
        "positions to a network is another effect (B15)."
    ),
    method=(
        "The gradient of the sum of all outputs of a filter of ones counts how often each pixel is "
        "used, as in B6, for several kinds of padding. Equal use means f x f times everywhere."
    ),
    measure=measure,
)

"""B11: by convolution features become location-dependent ("translation variance")."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from csvision.claims.bench import Bench
from csvision.claims.charts import Curves, Series
from csvision.claims.claim import Claim, Measurement, Statement
from csvision.claims.jobs import Job
from csvision.claims.measuring.agreement import alike, difference_of
from csvision.claims.rules import TOLERANCE, Comparison, Exact
from csvision.data.table import read_table

IMAGES = 32
FILTERS = 8
SHIFTS = range(9)
"""Pixels to the right; what leaves the image there comes in on the left."""

Features = Callable[[Tensor], Tensor]
"""Images (N, 1, H, W) -> maps (N, K, H', W')."""


def garments() -> Tensor:
    """Images (N, 1, 28, 28) from 0 to 1 in float64."""
    return torch.from_numpy(read_table("embedded").images[:IMAGES]).double() / 255


def circular(maps: Tensor) -> Tensor:
    """One pixel of padding from the other side, so that nothing is lost at the border."""
    return F.pad(maps, (1, 1, 1, 1), mode="circular")


def features(seed: int) -> dict[str, Features]:
    """Layers with random filters, in the order of the curves."""
    generator = torch.Generator().manual_seed(seed)
    first = torch.randn(FILTERS, 1, 3, 3, generator=generator, dtype=torch.float64)
    second = torch.randn(FILTERS, FILTERS, 3, 3, generator=generator, dtype=torch.float64)

    def convolution(images: Tensor, stride: int = 1) -> Tensor:
        return F.conv2d(circular(images), first, stride=stride).relu()

    return {
        "convolution": convolution,
        "two convolutions": lambda x: F.conv2d(circular(convolution(x)), second).relu(),
        "convolution, stride 2": lambda x: convolution(x, stride=2),
        "convolution, max pooling": lambda x: F.max_pool2d(convolution(x), 2),
        "convolution, average pooling": lambda x: F.avg_pool2d(convolution(x), 2),
    }


def moved(name: str, shift: int, seed: int) -> dict[str, Any]:
    """Features of moved images against the features moved, by as many places as fit best.

    `error` is relative, over all images; `pair` is the largest value and the largest difference.
    """
    images = garments()
    layer = features(seed)[name]
    before, after = layer(images), layer(images.roll(shift, 3))
    errors = [float((after - before.roll(k, 3)).norm()) for k in range(before.shape[3])]
    best = min(range(len(errors)), key=errors.__getitem__)
    return {
        "places": best,
        "error": errors[best] / float(before.norm()),
        "pair": difference_of(before.roll(best, 3), after),
    }


def inside(shift: int, seed: int) -> tuple[float, float]:
    """Without padding, where the moved image has no pixels that came in from the other side."""
    generator = torch.Generator().manual_seed(seed)
    weights = torch.randn(FILTERS, 1, 3, 3, generator=generator, dtype=torch.float64)
    images = garments()
    before, after = F.conv2d(images, weights), F.conv2d(images.roll(shift, 3), weights)
    return difference_of(before[..., : before.shape[3] - shift], after[..., shift:])


def changed(case: str, pair: tuple[float, float]) -> Comparison:
    """Whether features depend on the place, as the notes say: more than a move apart."""
    largest, difference = pair
    return Comparison(f"{case}: other features", True, difference > TOLERANCE * largest)


def curves(errors: dict[str, list[float]]) -> Curves:
    """The error over the shift."""
    return Curves(
        "features of the moved image against the moved features",
        "shift, pixels",
        "relative error",
        [Series(name, list(map(float, SHIFTS)), values) for name, values in errors.items()],
        alt="; ".join(
            f"{name}: {values[1]:.2f} at a shift of 1 pixel, {values[2]:.2f} at 2"
            for name, values in errors.items()
        ),
    )


def measure(bench: Bench) -> Measurement:
    """Move the image, or move its features."""
    choices = [(name, shift) for name in features(0) for shift in SHIFTS]
    results = bench.run([Job(moved, {"name": n, "shift": s, "seed": 0}) for n, s in choices])
    found = dict(zip(choices, results, strict=True))
    near = (1, 2, 5)
    interior = bench.run([Job(inside, {"shift": shift, "seed": 0}) for shift in near])
    errors = {name: [found[name, shift]["error"] for shift in SHIFTS] for name in features(0)}
    convolutions = [(n, s) for n in ("convolution", "two convolutions") for s in near]
    convolutions += [("convolution, stride 2", shift) for shift in (2, 4, 6)]
    pooled = ("convolution, max pooling", "convolution, average pooling")
    largest = max(
        difference
        for _, difference in [*interior, *(found[choice]["pair"] for choice in convolutions)]
    )

    def poolings(shifts: tuple[int, ...]) -> list[Comparison]:
        return [
            alike(f"{name}, shift {shift}", *found[name, shift]["pair"])
            for name in pooled
            for shift in shifts
        ]

    return Measurement(
        evidence={
            "B11a": [
                *(
                    changed(f"inside, shift {shift}", pair)
                    for shift, pair in zip(near, interior, strict=True)
                ),
                *(changed(f"{n}, shift {s}", found[n, s]["pair"]) for n, s in convolutions),
            ],
            "B11b": poolings((2, 4, 6)),
            "B11c": poolings((1, 3, 5)),
        },
        finding=(
            "Convolution is equivariant: the features of a moved garment are its features, moved; "
            f"at multiples of the stride the largest difference is {largest:.1g}. Behind pooling "
            f"2x2 that holds for shifts of 2 pixels (relative error {errors[pooled[0]][2]:.1g}), "
            f"but not of 1: there it is {errors[pooled[0]][1]:.2f} with maximum pooling, "
            f"{errors[pooled[1]][1]:.2f} with average pooling, and "
            f"{errors['convolution, stride 2'][1]:.2f} with stride 2 and no pooling."
        ),
        table=[
            {"layers": name, **{f"shift {shift}": values[shift] for shift in (1, 2, 3, 4)}}
            for name, values in errors.items()
        ],
        charts=[curves(errors)],
    )


CLAIM = Claim(
    id="B11",
    title="By convolution features become location-dependent (translation variance)",
    statements=(
        Statement(
            "B11a",
            "By convolution features come to depend on the place: an object elsewhere has others",
            Exact(),
        ),
        Statement(
            "B11b",
            "Behind convolution and pooling 2x2 a shift of the image by 2 pixels moves the "
            "features by one place, and changes nothing else",
            Exact(),
        ),
        Statement("B11c", "So it is with a shift by 1 pixel, or 3, or 5", Exact()),
    ),
    why=(
        "The notes give it as the reason for pooling. What pooling is to cure, convolution does "
        "not have, and pooling itself brings some of it in."
    ),
    method=(
        f"{IMAGES} garments are moved before random filters, or their features behind them, and "
        "the two compared in float64: in the interior and with circular padding, so that borders "
        "play no part. Behind pooling the best whole move of the features counts."
    ),
    measure=measure,
)

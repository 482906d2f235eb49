"""B11: convolution makes features location-dependent ("translation variance")."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from csvision import read_table
from csvision_claims.engine.charts import Curves, Series
from csvision_claims.engine.claim import Claim, Measurement, Statement
from csvision_claims.engine.jobs import Job
from csvision_claims.engine.rules import TOLERANCE, Comparison, Exact
from csvision_claims.engine.runner import Runner
from csvision_claims.measuring.agreement import agreement_case, compare_arrays

IMAGES = 32
FILTERS = 8
SHIFTS = range(9)
"""Pixels to the right; pixels that leave the image re-enter on the left."""

Features = Callable[[Tensor], Tensor]
"""Images (N, 1, H, W) -> maps (N, K, H', W')."""


def load_images() -> Tensor:
    """Return images (N, 1, 28, 28) from 0 to 1 in float64."""
    return torch.from_numpy(read_table("bundled").images[:IMAGES]).double() / 255


def pad_circular(maps: Tensor) -> Tensor:
    """Pad by one pixel from the opposite side, so that nothing is lost at the border."""
    return F.pad(maps, (1, 1, 1, 1), mode="circular")


def make_features(seed: int) -> dict[str, Features]:
    """Return layers with random filters, in the order of the curves."""
    generator = torch.Generator().manual_seed(seed)
    first = torch.randn(FILTERS, 1, 3, 3, generator=generator, dtype=torch.float64)
    second = torch.randn(FILTERS, FILTERS, 3, 3, generator=generator, dtype=torch.float64)

    def convolve(images: Tensor, stride: int = 1) -> Tensor:
        return F.conv2d(pad_circular(images), first, stride=stride).relu()

    return {
        "convolution": convolve,
        "two convolutions": lambda x: F.conv2d(pad_circular(convolve(x)), second).relu(),
        "convolution, stride 2": lambda x: convolve(x, stride=2),
        "convolution, max pooling": lambda x: F.max_pool2d(convolve(x), 2),
        "convolution, average pooling": lambda x: F.avg_pool2d(convolve(x), 2),
    }


def compare_shifted(name: str, shift: int, seed: int) -> dict[str, Any]:
    """Compare the features of shifted images with the features, shifted to the best match.

    `error` is relative, over all images; `pair` is the largest value and the largest difference.
    """
    images = load_images()
    layer = make_features(seed)[name]
    before, after = layer(images), layer(images.roll(shift, 3))
    errors = [float((after - before.roll(k, 3)).norm()) for k in range(before.shape[3])]
    best = min(range(len(errors)), key=errors.__getitem__)
    return {
        "positions": best,
        "error": errors[best] / float(before.norm()),
        "pair": compare_arrays(before.roll(best, 3), after),
    }


def compare_interior(shift: int, seed: int) -> tuple[float, float]:
    """Compare without padding, where the shifted image has no pixels from the opposite side."""
    generator = torch.Generator().manual_seed(seed)
    weights = torch.randn(FILTERS, 1, 3, 3, generator=generator, dtype=torch.float64)
    images = load_images()
    before, after = F.conv2d(images, weights), F.conv2d(images.roll(shift, 3), weights)
    return compare_arrays(before[..., : before.shape[3] - shift], after[..., shift:])


def dependence_case(case: str, pair: tuple[float, float]) -> Comparison:
    """Return the case that claims that features differ by more than a shift, as the notes do."""
    largest, difference = pair
    return Comparison(f"{case}: different features", True, difference > TOLERANCE * largest)


def draw_curves(errors: dict[str, list[float]]) -> Curves:
    """Show the error over the shift."""
    return Curves(
        "features of the shifted image against the shifted features",
        "shift, pixels",
        "relative error",
        [Series(name, list(map(float, SHIFTS)), values) for name, values in errors.items()],
        alt="; ".join(
            f"{name}: {values[1]:.2f} at a shift of 1 pixel, {values[2]:.2f} at 2"
            for name, values in errors.items()
        ),
    )


def measure(runner: Runner) -> Measurement:
    """Compare shifting the image with shifting its features."""
    names = list(make_features(0))
    choices = [(name, shift) for name in names for shift in SHIFTS]
    jobs = [Job(compare_shifted, {"name": n, "shift": s, "seed": 0}) for n, s in choices]
    found = dict(zip(choices, runner.run(jobs), strict=True))
    near = (1, 2, 5)
    interior = runner.run([Job(compare_interior, {"shift": shift, "seed": 0}) for shift in near])
    errors = {name: [found[name, shift]["error"] for shift in SHIFTS] for name in names}
    convolutions = [(n, s) for n in ("convolution", "two convolutions") for s in near]
    convolutions += [("convolution, stride 2", shift) for shift in (2, 4, 6)]
    pooled = ("convolution, max pooling", "convolution, average pooling")
    largest = max(
        difference
        for _, difference in [*interior, *(found[choice]["pair"] for choice in convolutions)]
    )

    def pooling_cases(shifts: tuple[int, ...]) -> list[Comparison]:
        return [
            agreement_case(f"{name}, shift {shift}", *found[name, shift]["pair"])
            for name in pooled
            for shift in shifts
        ]

    return Measurement(
        evidence={
            "B11a": [
                *(
                    dependence_case(f"interior, shift {shift}", pair)
                    for shift, pair in zip(near, interior, strict=True)
                ),
                *(dependence_case(f"{n}, shift {s}", found[n, s]["pair"]) for n, s in convolutions),
            ],
            "B11b": pooling_cases((2, 4, 6)),
            "B11c": pooling_cases((1, 3, 5)),
        },
        finding=(
            "Convolution is equivariant; pooling breaks this. The features of a shifted garment "
            "are the shifted features: at multiples of the stride the largest difference is "
            f"{largest:.1g}. After 2x2 pooling the same holds for shifts of 2 pixels (relative "
            f"error {errors[pooled[0]][2]:.1g}), but not of 1 pixel: the error is then "
            f"{errors[pooled[0]][1]:.2f} with max pooling, {errors[pooled[1]][1]:.2f} with average "
            f"pooling, and {errors['convolution, stride 2'][1]:.2f} with stride 2 and no pooling."
        ),
        table=[
            {"layers": name, **{f"shift {shift}": values[shift] for shift in (1, 2, 3, 4)}}
            for name, values in errors.items()
        ],
        charts=[draw_curves(errors)],
    )


CLAIM = Claim(
    id="B11",
    title="Convolution makes features location-dependent (translation variance)",
    statements=(
        Statement(
            "B11a",
            "Convolution makes features location-dependent: a shifted object has different "
            "features",
            Exact(),
        ),
        Statement(
            "B11b",
            "After convolution and 2x2 pooling, a shift of the image by 2, 4 or 6 pixels shifts "
            "the features and changes nothing else",
            Exact(),
        ),
        Statement(
            "B11c",
            "After convolution and 2x2 pooling, a shift of the image by 1, 3 or 5 pixels shifts "
            "the features and changes nothing else",
            Exact(),
        ),
    ),
    why=(
        "The notes give it as the reason for pooling. Convolution does not have the problem that "
        "pooling is meant to solve, and pooling introduces some of it."
    ),
    method=(
        f"{IMAGES} garments are shifted before layers of random filters, or their features are "
        "shifted afterwards, and both are compared in float64, in the interior and with circular "
        "padding, so that borders have no effect. After pooling the best integer shift of the "
        "features is used."
    ),
    measure=measure,
)

"""A4: there are two kinds of padding: valid, and same, which preserves the size of the input."""

from itertools import product

import torch
from torch import Tensor
from torch.nn import functional as F

from csvision import read_table
from csvision_claims.engine.charts import Panel, Panels
from csvision_claims.engine.claim import Claim, Measurement, Statement
from csvision_claims.engine.jobs import Job
from csvision_claims.engine.rules import Comparison, Exact
from csvision_claims.engine.runner import Runner

SIDE = 28
FILTERS = range(1, 8)
AMOUNTS = range(4)

PLAIN = list(product((7, 14, SIDE), FILTERS[::2]))
"""Sides of image and filter; the filter side is odd."""

STRIDED = list(product((7, 14, SIDE), (1, 2, 3)))
"""Side of the image, and stride."""

CLAIMED_KINDS = 2
PICTURED = 9
"""Side of the filter whose padding is shown; large, so that the padding is visible."""


def zeros(size: int, channels: int = 1) -> Tensor:
    """Return an image or a filter of zeros."""
    return torch.zeros(1, channels, size, size)


def measure_named_padding(name: str) -> list[int]:
    """Return the sides that torch's own valid or same padding gives at stride 1."""
    return [F.conv2d(zeros(n), zeros(f), padding=name).shape[2] for n, f in PLAIN]


def measure_strides() -> list[int]:
    """Return the sides under a 3x3 filter with padding 1, which is `same` at stride 1."""
    return [F.conv2d(zeros(n), zeros(3), padding=1, stride=s).shape[2] for n, s in STRIDED]


def same_padding_error(stride: int) -> str | None:
    """Return torch's error message for same padding with a stride; None without an error."""
    try:
        F.conv2d(zeros(SIDE), zeros(3), padding="same", stride=stride)
    except RuntimeError as error:
        return str(error)
    return None


def measure_amounts(filter_side: int) -> list[int]:
    """Return the side of the map for each amount of padding, equal on all sides."""
    return [
        F.conv2d(zeros(SIDE), zeros(filter_side), padding=amount).shape[2] for amount in AMOUNTS
    ]


def brightest_border() -> Tensor:
    """Return the image with the brightest border, from 0 to 1; all padding of black is equal."""
    images = torch.from_numpy(read_table("bundled").images).double() / 255
    border = images.sum((1, 2, 3)) - images[..., 1:-1, 1:-1].sum((1, 2, 3))
    return images[[int(border.argmax())]]


def pad_image(image: Tensor, filter_side: int) -> dict[str, Tensor]:
    """Return an image (1, 1, H, W) with each kind of padding for an odd filter."""
    half, full = (filter_side - 1) // 2, filter_side - 1
    padded = {
        "valid": image,
        "same": F.pad(image, (half,) * 4),
        "full": F.pad(image, (full,) * 4),
    }
    for mode in ("reflect", "replicate", "circular"):
        padded[mode] = F.pad(image, (half,) * 4, mode)
    return padded


def count_distinct(filter_side: int, seed: int) -> int:
    """Count the different results of one random filter under all kinds of padding."""
    generator = torch.Generator().manual_seed(seed)
    weights = torch.randn(1, 1, filter_side, filter_side, generator=generator).double()
    distinct: list[Tensor] = []
    for image in pad_image(brightest_border(), filter_side).values():
        result = F.conv2d(image, weights)
        if not any(torch.equal(result, other) for other in distinct):
            distinct.append(result)
    return len(distinct)


def padded_pictures() -> dict[str, list[list[float]]]:
    """Return the image with each kind of padding for the pictured filter, 0 to 255."""
    images = pad_image(brightest_border(), PICTURED)
    return {name: (255 * image[0, 0]).round().tolist() for name, image in images.items()}


def draw_panels(images: dict[str, list[list[float]]]) -> Panels:
    """Show the padded images side by side."""
    sides = ", ".join(f"{name} {len(image)}" for name, image in images.items())
    return Panels(
        f"a garment padded for a {PICTURED}x{PICTURED} filter",
        [Panel(name, image, 0, 255) for name, image in images.items()],
        alt=(
            f"Six versions of one garment, with sides of {sides} pixels: without padding, in a "
            "narrow and in a wide black frame, and extended by its mirror image, by its border "
            "pixels and by its opposite side"
        ),
    )


def measure(runner: Runner) -> Measurement:
    """Measure the sizes of named padding, and count the kinds of padding."""
    valid, same = runner.run(
        [Job(measure_named_padding, {"name": name}) for name in ("valid", "same")]
    )
    strided, images = runner.run([Job(measure_strides, {}), Job(padded_pictures, {})])
    choices = [(filter_side, seed) for filter_side in (3, 5) for seed in (0, 1)]
    counts = runner.run([Job(count_distinct, {"filter_side": f, "seed": s}) for f, s in choices])
    sides = runner.run([Job(measure_amounts, {"filter_side": f}) for f in FILTERS])
    (error,) = runner.run([Job(same_padding_error, {"stride": 2})])
    at_stride_2 = strided[STRIDED.index((SIDE, 2))]
    even = [str(f) for f, found in zip(FILTERS, sides, strict=True) if SIDE not in found]
    return Measurement(
        evidence={
            "A4a": [
                case
                for (n, f), one, other in zip(PLAIN, valid, same, strict=True)
                for case in (
                    Comparison(f"n = {n}, f = {f}: valid", n - f + 1, one),
                    Comparison(f"n = {n}, f = {f}: same", n, other),
                )
            ],
            "A4b": [
                Comparison(f"different results, {f}x{f} filter, draw {s}", CLAIMED_KINDS, count)
                for (f, s), count in zip(choices, counts, strict=True)
            ],
            "A4c": [
                Comparison(f"n = {n}, f = 3, s = {s}", n, side)
                for (n, s), side in zip(STRIDED, strided, strict=True)
            ],
        },
        finding=(
            f"There are more than two kinds of padding: on one garment {len(images)} of them "
            f"({', '.join(images)}) give {counts[0]} different results. Same padding needs "
            f"stride 1: the padding that preserves {SIDE} pixels at stride 1 gives {at_stride_2} "
            f'at stride 2, where torch refuses same: "{error}". With an even filter '
            f"({', '.join(even)}) no padding that is equal on all sides preserves the size."
        ),
        table=[
            {
                "filter": f"{f}x{f}",
                **{f"side with padding {p}": side for p, side in zip(AMOUNTS, found, strict=True)},
            }
            for f, found in zip(FILTERS, sides, strict=True)
        ],
        charts=[draw_panels(images)],
    )


CLAIM = Claim(
    id="A4",
    title="Two kinds of padding: valid, and same, which preserves the size of the input",
    statements=(
        Statement(
            "A4a",
            "For an image of side n and a filter of odd side f at stride 1, valid padding adds "
            "nothing and gives n - f + 1; same padding preserves the side n",
            Exact(),
        ),
        Statement("A4b", "Valid and same are the only kinds of padding", Exact()),
        Statement("A4c", "Same padding preserves the side n at any stride", Exact()),
    ),
    why=(
        "The values beyond the border are a choice that the names valid and same hide. The name "
        "same is undefined once a layer has a stride."
    ),
    method=(
        "The sides that torch's valid and same padding give are measured; one random filter is "
        "then applied to the garment with the brightest border under six kinds of padding, and "
        "different results are counted. For strides, the padding that preserves the side at "
        "stride 1 is used unchanged."
    ),
    measure=measure,
)

"""A4: there are two paddings: valid, and same, which keeps the output as large as the input."""

from itertools import product

import torch
from torch import Tensor
from torch.nn import functional as F

from csvision.claims.bench import Bench
from csvision.claims.charts import Panel, Panels
from csvision.claims.claim import Claim, Measurement, Statement
from csvision.claims.jobs import Job
from csvision.claims.rules import Comparison, Exact
from csvision.data.table import read_table

SIDE = 28
FILTERS = range(1, 8)
WIDTHS = range(4)

PLAIN = list(product((7, 14, SIDE), FILTERS[::2]))
"""Sides of image and filter, which is odd."""

STRIDED = list(product((7, 14, SIDE), (1, 2, 3)))
"""Side of the image, and stride."""

CLAIMED_PADDINGS = 2
PICTURED = 9
"""Side of the filter whose paddings are shown: large, so that they can be seen."""


def zeros(size: int, channels: int = 1) -> Tensor:
    """An empty image, or an empty filter."""
    return torch.zeros(1, channels, size, size)


def named_sides(word: str) -> list[int]:
    """The sides that torch's own valid or same gives at stride 1."""
    return [F.conv2d(zeros(n), zeros(f), padding=word).shape[2] for n, f in PLAIN]


def strided_sides() -> list[int]:
    """The side under a 3x3 filter with a stride and the one pixel that same adds at stride 1."""
    return [F.conv2d(zeros(n), zeros(3), padding=1, stride=s).shape[2] for n, s in STRIDED]


def refusal(stride: int) -> str | None:
    """What torch says of same under a stride; None when it does it."""
    try:
        F.conv2d(zeros(SIDE), zeros(3), padding="same", stride=stride)
    except RuntimeError as error:
        return str(error)
    return None


def padded_sides(filter_side: int) -> list[int]:
    """The side of the map under equal padding on all sides, by 0 pixels and more."""
    return [
        F.conv2d(zeros(SIDE), zeros(filter_side), padding=padding).shape[2] for padding in WIDTHS
    ]


def bordered_image() -> Tensor:
    """The garment whose border is brightest, from 0 to 1: on black all paddings are alike."""
    images = torch.from_numpy(read_table("embedded").images).double() / 255
    border = images.sum((1, 2, 3)) - images[..., 1:-1, 1:-1].sum((1, 2, 3))
    return images[[int(border.argmax())]]


def padded(image: Tensor, filter_side: int) -> dict[str, Tensor]:
    """An image (1, 1, H, W) with each padding for an odd filter."""
    half, all_but_one = (filter_side - 1) // 2, filter_side - 1
    paddings = {
        "valid": image,
        "same": F.pad(image, (half,) * 4),
        "full": F.pad(image, (all_but_one,) * 4),
    }
    for mode in ("reflect", "replicate", "circular"):
        paddings[mode] = F.pad(image, (half,) * 4, mode)
    return paddings


def distinct(filter_side: int, seed: int) -> int:
    """How many results of one random filter the paddings give."""
    generator = torch.Generator().manual_seed(seed)
    weights = torch.randn(1, 1, filter_side, filter_side, generator=generator).double()
    kinds: list[Tensor] = []
    for image in padded(bordered_image(), filter_side).values():
        result = F.conv2d(image, weights)
        if not any(torch.equal(result, other) for other in kinds):
            kinds.append(result)
    return len(kinds)


def pictures() -> dict[str, list[list[float]]]:
    """The image with each padding for the pictured filter, 0 to 255."""
    images = padded(bordered_image(), PICTURED)
    return {name: (255 * image[0, 0]).round().tolist() for name, image in images.items()}


def shown(images: dict[str, list[list[float]]]) -> Panels:
    """The padded images side by side."""
    sides = ", ".join(f"{name} {len(image)}" for name, image in images.items())
    return Panels(
        f"a garment padded for a filter of {PICTURED}x{PICTURED}",
        [Panel(name, image, 0, 255) for name, image in images.items()],
        alt=(
            f"Six versions of one garment, with sides of {sides} pixels: as it is, in a narrow and "
            "in a wide black frame, and continued by its mirror image, its edge pixels and its "
            "other side"
        ),
    )


def measure(bench: Bench) -> Measurement:
    """Sizes of the named paddings, and how many paddings there are."""
    valid, same = bench.run([Job(named_sides, {"word": word}) for word in ("valid", "same")])
    strided, images = bench.run([Job(strided_sides, {}), Job(pictures, {})])
    choices = [(filter_side, seed) for filter_side in (3, 5) for seed in (0, 1)]
    counts = bench.run([Job(distinct, {"filter_side": f, "seed": s}) for f, s in choices])
    sides = bench.run([Job(padded_sides, {"filter_side": f}) for f in FILTERS])
    (refused,) = bench.run([Job(refusal, {"stride": 2})])
    at_two = strided[STRIDED.index((SIDE, 2))]
    uneven = [str(f) for f, found in zip(FILTERS, sides, strict=True) if SIDE not in found]
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
                Comparison(f"different results, filter {f}x{f}, draw {s}", CLAIMED_PADDINGS, count)
                for (f, s), count in zip(choices, counts, strict=True)
            ],
            "A4c": [
                Comparison(f"n = {n}, f = 3, s = {s}", n, side)
                for (n, s), side in zip(STRIDED, strided, strict=True)
            ],
        },
        finding=(
            f"On one garment {len(images)} paddings give {counts[0]} different results: "
            f"{', '.join(images)}. What keeps {SIDE} pixels at stride 1 gives {at_two} at "
            f'stride 2; torch refuses same there: "{refused}". With an even filter '
            f"({', '.join(uneven)}) no padding that is equal on all sides keeps the size."
        ),
        table=[
            {
                "filter": f"{f}x{f}",
                **{f"side with padding {p}": side for p, side in zip(WIDTHS, found, strict=True)},
            }
            for f, found in zip(FILTERS, sides, strict=True)
        ],
        charts=[shown(images)],
    )


CLAIM = Claim(
    id="A4",
    title="Two paddings: valid, and same with an output as large as the input",
    statements=(
        Statement(
            "A4a",
            "An image of side n under a filter of odd side f at stride 1: valid adds nothing and "
            "gives n - f + 1, same keeps the side n",
            Exact(),
        ),
        Statement("A4b", "These are all the paddings there are: two", Exact()),
        Statement("A4c", "Same keeps the side n at any stride", Exact()),
    ),
    why=(
        "What stands beyond the border is a choice, which the words valid and same hide; and the "
        "word same fails once a layer has a stride."
    ),
    method=(
        "The sides that torch's own valid and same give; then one random filter on the garment "
        "with the brightest border, under six paddings, counting the results that differ. For the "
        "stride, the padding that keeps the side at stride 1 is left as it is."
    ),
    measure=measure,
)

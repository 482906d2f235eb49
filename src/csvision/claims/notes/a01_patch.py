"""A1: a filter multiplies a patch point by point and sums; the notes call it convolution."""

from typing import Any

import torch
from scipy import signal
from torch import Tensor
from torch.nn import functional as F

from csvision.claims.bench import Bench
from csvision.claims.charts import Panel, Panels
from csvision.claims.claim import Claim, Measurement, Statement
from csvision.claims.jobs import Job
from csvision.claims.measuring.agreement import alike, difference_of
from csvision.claims.rules import Exact
from csvision.data.table import read_table

CASES = [(size, side, channels) for size in (6, 11) for side in (1, 2, 3, 5) for channels in (1, 3)]
"""Sides of image and filter, and channels."""

SOBEL = [[-1.0, 0.0, 1.0], [-2.0, 0.0, 2.0], [-1.0, 0.0, 1.0]]

ANKLE_BOOT = 9


def patch_sums(image: Tensor, weights: Tensor, bias: Tensor) -> Tensor:
    """The definition, in so many words: (C, H, W) and (C, f, f) -> (H - f + 1, W - f + 1)."""
    side = weights.shape[-1]
    rows, columns = (length - side + 1 for length in image.shape[1:])
    sums = [
        (image[:, row : row + side, column : column + side] * weights).sum() + bias
        for row in range(rows)
        for column in range(columns)
    ]
    return torch.stack(sums).reshape(rows, columns)


def convolved(image: Tensor, weights: Tensor) -> Tensor:
    """torch's layer with one filter and no bias: (H, W) and (f, f) -> (H', W')."""
    return F.conv2d(image[None, None], weights[None, None])[0, 0]


def sums(seed: int) -> list[dict[str, Any]]:
    """torch's layer against the definition and against scipy's correlation, case by case."""
    generator = torch.Generator().manual_seed(seed)
    found = []
    for size, side, channels in CASES:
        image = torch.randn(channels, size, size, generator=generator, dtype=torch.float64)
        weights = torch.randn(channels, side, side, generator=generator, dtype=torch.float64)
        bias = torch.randn((), generator=generator, dtype=torch.float64)
        layer = F.conv2d(image[None], weights[None], bias[None])[0, 0]
        correlated = sum(
            signal.correlate2d(image[channel], weights[channel], mode="valid")
            for channel in range(channels)
        )
        found.append(
            {
                "case": f"image {size}, filter {side}, channels {channels}",
                "definition": difference_of(patch_sums(image, weights, bias), layer),
                "scipy": difference_of(correlated + bias.item(), layer),
            }
        )
    return found


def filters(seed: int) -> dict[str, Tensor]:
    """Four filters, of which the mean is the same when turned by 180 degrees."""
    generator = torch.Generator().manual_seed(seed)
    return {
        "Sobel, 3x3": torch.tensor(SOBEL, dtype=torch.float64),
        "random, 3x3": torch.randn(3, 3, generator=generator, dtype=torch.float64),
        "random, 5x5": torch.randn(5, 5, generator=generator, dtype=torch.float64),
        "mean, 3x3": torch.full((3, 3), 1 / 9, dtype=torch.float64),
    }


def flips(seed: int) -> dict[str, Any]:
    """torch's layer on an ankle boot against mathematics, with the filter as it is and turned."""
    table = read_table("embedded")
    assert table.labels is not None
    boot = torch.from_numpy(table.images[table.labels == ANKLE_BOOT][0, 0]).double()
    found = {}
    for name, weights in filters(seed).items():
        layer = convolved(boot, weights)
        found[name] = {
            "as it is": difference_of(signal.convolve2d(boot, weights, mode="valid"), layer),
            "turned": difference_of(signal.convolve2d(boot, weights.flip(0, 1), "valid"), layer),
        }
    sobel = filters(seed)["Sobel, 3x3"]
    pictures = {
        "filter": sobel.tolist(),
        "filter, turned": sobel.flip(0, 1).tolist(),
        "layer": convolved(boot, sobel).tolist(),
        "mathematics": signal.convolve2d(boot, sobel, mode="valid").tolist(),
    }
    return {"filters": found, "pictures": pictures}


def pictures_of(pictures: dict[str, list[list[float]]], largest: float) -> Panels:
    """Filter, turned filter and what each makes of the boot, on a scale about zero."""
    limits = {"filter": 2.0, "filter, turned": 2.0, "layer": largest, "mathematics": largest}
    top_left = {name: values[0][0] for name, values in pictures.items()}
    return Panels(
        "a Sobel filter, the filter turned by 180 degrees, and an ankle boot after each",
        [Panel(name, values, -limits[name], limits[name]) for name, values in pictures.items()],
        alt=(
            f"The filter with {top_left['filter']:g} in its top left corner, the turned one with "
            f"{top_left['filter, turned']:g} there. After the layer the boot's left edges are "
            "positive and its right edges negative; after mathematics' convolution it is the "
            f"other way round; values reach {largest:.0f}"
        ),
        style="filter",
        columns=4,
    )


def measure(bench: Bench) -> Measurement:
    """Compare torch's layer with the definition, and with mathematics' convolution."""
    (summed,) = bench.run([Job(sums, {"seed": 0})])
    (flipped,) = bench.run([Job(flips, {"seed": 0})])
    found = flipped["filters"]
    largest, difference = found["Sobel, 3x3"]["as it is"]
    agree = max(case[other][1] for case in summed for other in ("definition", "scipy"))
    turned = max(pair["turned"][1] for pair in found.values())
    return Measurement(
        evidence={
            "A1a": [
                alike(f"{case['case']}: {other}", *case[other])
                for case in summed
                for other in ("definition", "scipy")
            ],
            "A1b": [alike(name, *pair["as it is"]) for name, pair in found.items()],
        },
        finding=(
            f"In {len(summed)} cases the layer differs from the sum of the products, plus the "
            f"bias, by at most {agree:.1g}. Mathematics' convolution turns the filter by 180 "
            f"degrees first: with a Sobel filter the two differ by up to {difference:.0f} on a "
            f"garment, where the largest value is {largest:.0f}; with the filter turned beforehand "
            f"they agree to {turned:.1g}. The layer is a cross-correlation. As its filters are "
            "learned, the other sign convention would learn the turned ones."
        ),
        table=[
            {
                "filter": name,
                "largest value": pair["as it is"][0],
                "layer against convolution": pair["as it is"][1],
                "layer against convolution with the turned filter": pair["turned"][1],
            }
            for name, pair in found.items()
        ],
        charts=[pictures_of(flipped["pictures"], largest)],
    )


CLAIM = Claim(
    id="A1",
    title="A filter multiplies a patch point by point and sums: a convolution",
    statements=(
        Statement(
            "A1a",
            "A filter is laid on each patch, multiplied with it point by point and summed; a bias "
            "is added",
            Exact(),
        ),
        Statement("A1b", "This is the convolution of mathematics", Exact()),
    ),
    why=(
        "It is the definition that all else rests on. The name misleads whoever compares a layer "
        "with a signal library, or loads filters that were written for one."
    ),
    method=(
        "A convolution layer of torch in float64 against the definition in loops and against "
        "scipy.signal.correlate2d, for several sizes and channels. Then against "
        "scipy.signal.convolve2d on an ankle boot, with the filter as it is and turned."
    ),
    measure=measure,
)

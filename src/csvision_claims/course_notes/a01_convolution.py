"""A1: a filter multiplies a patch elementwise and sums; the notes call it convolution."""

from typing import Any

import torch
from scipy import signal
from torch import Tensor
from torch.nn import functional as F

from csvision import read_table
from csvision_claims.engine.charts import Panel, Panels
from csvision_claims.engine.claim import Claim, Measurement, Statement
from csvision_claims.engine.jobs import Job
from csvision_claims.engine.rules import Exact
from csvision_claims.engine.runner import Runner
from csvision_claims.measuring.agreement import agreement_case, compare_arrays

CASES = [(size, side, channels) for size in (6, 11) for side in (1, 2, 3, 5) for channels in (1, 3)]
"""Sides of image and filter, and channels."""

SOBEL = [[-1.0, 0.0, 1.0], [-2.0, 0.0, 2.0], [-1.0, 0.0, 1.0]]

ANKLE_BOOT = 9


def sum_patches(image: Tensor, weights: Tensor, bias: Tensor) -> Tensor:
    """Apply the definition in loops: (C, H, W) and (C, f, f) -> (H - f + 1, W - f + 1)."""
    side = weights.shape[-1]
    rows, columns = (length - side + 1 for length in image.shape[1:])
    sums = [
        (image[:, row : row + side, column : column + side] * weights).sum() + bias
        for row in range(rows)
        for column in range(columns)
    ]
    return torch.stack(sums).reshape(rows, columns)


def apply_layer(image: Tensor, weights: Tensor) -> Tensor:
    """Apply torch's layer with one filter and no bias: (H, W) and (f, f) -> (H', W')."""
    return F.conv2d(image[None, None], weights[None, None])[0, 0]


def compare_definitions(seed: int) -> list[dict[str, Any]]:
    """Compare torch's layer with the definition and with scipy's correlation in each case."""
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
                "definition": compare_arrays(sum_patches(image, weights, bias), layer),
                "scipy": compare_arrays(correlated + bias.item(), layer),
            }
        )
    return found


def make_filters(seed: int) -> dict[str, Tensor]:
    """Return four filters; only the mean filter is unchanged by a rotation of 180 degrees."""
    generator = torch.Generator().manual_seed(seed)
    return {
        "Sobel, 3x3": torch.tensor(SOBEL, dtype=torch.float64),
        "random, 3x3": torch.randn(3, 3, generator=generator, dtype=torch.float64),
        "random, 5x5": torch.randn(5, 5, generator=generator, dtype=torch.float64),
        "mean, 3x3": torch.full((3, 3), 1 / 9, dtype=torch.float64),
    }


def compare_convolutions(seed: int) -> dict[str, Any]:
    """Compare torch's layer with mathematical convolution, with original and rotated filters."""
    table = read_table("bundled")
    assert table.labels is not None
    boot = torch.from_numpy(table.images[table.labels == ANKLE_BOOT][0, 0]).double()
    found = {}
    for name, weights in make_filters(seed).items():
        layer = apply_layer(boot, weights)
        rotated = weights.flip(0, 1)
        found[name] = {
            "original": compare_arrays(signal.convolve2d(boot, weights, mode="valid"), layer),
            "rotated": compare_arrays(signal.convolve2d(boot, rotated, mode="valid"), layer),
        }
    sobel = make_filters(seed)["Sobel, 3x3"]
    pictures = {
        "filter": sobel.tolist(),
        "rotated filter": sobel.flip(0, 1).tolist(),
        "layer": apply_layer(boot, sobel).tolist(),
        "convolution": signal.convolve2d(boot, sobel, mode="valid").tolist(),
    }
    return {"filters": found, "pictures": pictures}


def draw_panels(pictures: dict[str, list[list[float]]], largest: float) -> Panels:
    """Show the filter, the rotated filter, and the output of layer and convolution."""
    limits = {"filter": 2.0, "rotated filter": 2.0, "layer": largest, "convolution": largest}
    top_left = {name: values[0][0] for name, values in pictures.items()}
    return Panels(
        "a Sobel filter, the filter rotated by 180 degrees, and an ankle boot after the layer "
        "and after mathematical convolution",
        [Panel(name, values, -limits[name], limits[name]) for name, values in pictures.items()],
        alt=(
            f"The filter has {top_left['filter']:g} in its top left corner, the rotated filter "
            f"{top_left['rotated filter']:g}. After the layer the left edges of the boot are "
            "positive and its right edges negative; after mathematical convolution it is the "
            f"other way around; values reach {largest:.0f}"
        ),
        style="filter",
        columns=4,
    )


def measure(runner: Runner) -> Measurement:
    """Compare torch's layer with the definition and with mathematical convolution."""
    (sums,) = runner.run([Job(compare_definitions, {"seed": 0})])
    (convolutions,) = runner.run([Job(compare_convolutions, {"seed": 0})])
    filters = convolutions["filters"]
    largest, difference = filters["Sobel, 3x3"]["original"]
    worst_sum = max(case[other][1] for case in sums for other in ("definition", "scipy"))
    worst_rotated = max(pair["rotated"][1] for pair in filters.values())
    return Measurement(
        evidence={
            "A1a": [
                agreement_case(f"{case['case']}: {other}", *case[other])
                for case in sums
                for other in ("definition", "scipy")
            ],
            "A1b": [agreement_case(name, *pair["original"]) for name, pair in filters.items()],
        },
        finding=(
            f"A convolution layer computes a cross-correlation: in {len(sums)} cases it differs "
            f"from the sum of the products, plus the bias, by at most {worst_sum:.1g}. "
            "Mathematical convolution rotates the filter by 180 degrees first: with a Sobel "
            f"filter the two differ by up to {difference:.0f} on an ankle boot, where the largest "
            f"value is {largest:.0f}; with the filter rotated beforehand they agree to "
            f"{worst_rotated:.1g}. Because filters are learned, a layer that used the other "
            "convention would learn the rotated filters."
        ),
        table=[
            {
                "filter": name,
                "largest value": pair["original"][0],
                "layer minus convolution": pair["original"][1],
                "layer minus convolution with the rotated filter": pair["rotated"][1],
            }
            for name, pair in filters.items()
        ],
        charts=[draw_panels(convolutions["pictures"], largest)],
    )


CLAIM = Claim(
    id="A1",
    title="A filter multiplies each patch elementwise and sums: a convolution",
    statements=(
        Statement(
            "A1a",
            "A filter is multiplied elementwise with each patch and the products are summed; a "
            "bias is added",
            Exact(),
        ),
        Statement("A1b", "A convolution layer computes a mathematical convolution", Exact()),
    ),
    why=(
        "All other claims rest on this definition. The name misleads anyone who compares a layer "
        "with a signal-processing library or loads filters that were written for one."
    ),
    method=(
        "A convolution layer of torch in float64 is compared with the definition in loops and with "
        "scipy.signal.correlate2d, for several sizes and channels. It is then compared with "
        "scipy.signal.convolve2d on an ankle boot, with the original and the rotated filter."
    ),
    measure=measure,
)

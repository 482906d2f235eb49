"""How often a convolution uses each pixel: the measurement of B6 and B7."""

import torch
from torch.nn import functional as F

Counts = list[list[int]]

GRID = [(size, filter_side) for size in (9, 28) for filter_side in (3, 5)]
"""Sides of image and filter; an image at least twice as large as the filter has a center."""

PICTURED = (9, 3)

POSITIONS = ("corner", "edge", "center")


def count_uses(
    size: int, filter_side: int, padding: int = 0, padding_mode: str = "constant"
) -> Counts:
    """Return how often each pixel is under the filter: the gradient of the sum of all outputs."""
    image = torch.ones(1, 1, size, size, dtype=torch.float64, requires_grad=True)
    ones = torch.ones(1, 1, filter_side, filter_side, dtype=torch.float64)
    F.conv2d(F.pad(image, (padding,) * 4, padding_mode), ones).sum().backward()
    assert image.grad is not None
    counts: Counts = image.grad[0, 0].long().tolist()
    return counts


def select_positions(counts: Counts) -> dict[str, int]:
    """Return the counts of a corner pixel, of the middle of an edge, and of the center."""
    middle = len(counts) // 2
    values = (counts[0][0], counts[0][middle], counts[middle][middle])
    return dict(zip(POSITIONS, values, strict=True))

"""The images that every convention writes: no symmetry, no two equal rows, columns or channels."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Images = NDArray[np.uint8]

ROWS = 60
SIDE = 5
CLASSES = 4


@dataclass(frozen=True)
class Content:
    """What a file must give: images (N, C, H, W), the label of each row, and row identifiers."""

    images: Images
    labels: list[Any]
    ids: list[str] | None = None

    @property
    def pixels(self) -> Images:
        """Rows of pixels (N, P) in row-major order."""
        return self.images.reshape(len(self.images), -1)


def gray(rows: int = ROWS, height: int = SIDE, width: int = SIDE, seed: int = 0) -> Content:
    """Return gray images of all 256 values, and balanced integer labels from 0."""
    images = np.random.default_rng(seed).integers(0, 256, (rows, 1, height, width), np.uint8)
    images[0, 0, 0, :2] = (0, 255)
    return Content(images, [row % CLASSES for row in range(rows)])


def color(rows: int = ROWS, seed: int = 1) -> Content:
    """Return color images of 4x4 pixels."""
    images = np.random.default_rng(seed).integers(0, 256, (rows, 3, 4, 4), np.uint8)
    images[0, 0, 0, :2] = (0, 255)
    return Content(images, [row % CLASSES for row in range(rows)])


def few_values(highest: int) -> Content:
    """Return gray images with whole values from 0 to a highest value, to be scaled to 0..255."""
    content = gray()
    values = content.images.astype(np.int64) * (highest + 1) // 256
    return Content(np.rint(values * (255 / highest)).astype(np.uint8), content.labels)

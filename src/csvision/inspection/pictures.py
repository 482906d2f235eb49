"""Draw arrays as pictures of plain pixels, without smoothing.

Shapes: C channels, H height, W width; a picture is (H, W, 3), uint8.
"""

from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass, field
from io import BytesIO

import matplotlib
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from csvision.inspection.receptive_field import ReceptiveField
from csvision.plots import to_hwc

Pixels = NDArray[np.uint8]

FRAME = np.array([200, 205, 210], np.uint8)
"""The color between the pictures of a sheet."""

GAP = 2
"""Pixels between two pictures of a sheet."""

OUTLINES = np.array([[0, 0, 0], [255, 255, 255]], np.uint8)
"""The outer and the inner line of a frame: every color differs clearly from one of them."""


@dataclass(frozen=True)
class Picture:
    """A picture with a name, a text that replaces it, and its size on the page.

    `scale` is the number of pixels on the screen for each of its own.
    """

    name: str
    alt: str
    scale: int
    pixels: Pixels = field(repr=False)

    @property
    def width(self) -> int:
        """Its width on the page in CSS pixels."""
        return int(self.pixels.shape[1]) * self.scale

    @property
    def height(self) -> int:
        """Its height on the page in CSS pixels."""
        return int(self.pixels.shape[0]) * self.scale

    @property
    def uri(self) -> str:
        """The picture as a data URI of a PNG file."""
        file = BytesIO()
        Image.fromarray(self.pixels).save(file, "PNG")
        return f"data:image/png;base64,{b64encode(file.getvalue()).decode()}"


def fit_scale(size: int, target: int) -> int:
    """Return the integer scale at which `size` pixels come closest to `target`, at least 1."""
    return max(1, round(target / size))


def image_pixels(image: NDArray[np.uint8]) -> Pixels:
    """Return an image (C, H, W) in color for three channels, else its first channel in gray."""
    pixels = to_hwc(image)
    return pixels if pixels.ndim == 3 else np.repeat(pixels[:, :, None], 3, axis=2)


def signed_pixels(values: NDArray[np.floating], limit: float | None = None) -> Pixels:
    """Return values (H, W) in color: white for 0, red for positive, blue for negative ones.

    `limit` has the strongest color (default: the largest absolute value).
    """
    limit = limit or float(np.abs(values).max(initial=0)) or 1.0
    fractions = np.clip(np.nan_to_num(values.astype(np.float64)) / limit, -1, 1)
    colors = matplotlib.colormaps["RdBu_r"]((fractions + 1) / 2, bytes=True)
    pixels: Pixels = np.ascontiguousarray(colors[..., :3])
    # The colormap has a light gray in its middle.
    pixels[fractions == 0] = 255
    return pixels


def color_filter_pixels(filter: NDArray[np.floating], limit: float) -> Pixels:
    """Return weights (3, H, W) of a color image in color: gray for 0."""
    scaled = np.clip(filter / (limit or 1.0), -1, 1)
    pixels: Pixels = np.rint(127.5 + 127.5 * scaled).astype(np.uint8).transpose(1, 2, 0)
    return np.ascontiguousarray(pixels)


def enlarge(pixels: Pixels, scale: int) -> Pixels:
    """Return a picture with each pixel as a square of `scale` pixels."""
    return pixels.repeat(scale, axis=0).repeat(scale, axis=1)


def arrange(pictures: Sequence[Pixels], scale: int, width: int, gap: int = GAP) -> Pixels:
    """Return enlarged pictures of one size in rows of about `width` pixels, framed by lines."""
    tiles = [enlarge(pixels, scale) for pixels in pictures]
    step_down, step_right = (side + gap for side in tiles[0].shape[:2])
    columns = max(1, min(len(tiles), width // step_right))
    rows = -(-len(tiles) // columns)
    sheet = np.empty((rows * step_down + gap, columns * step_right + gap, 3), np.uint8)
    sheet[:] = FRAME
    for index, pixels in enumerate(tiles):
        row, column = divmod(index, columns)
        top, left = row * step_down + gap, column * step_right + gap
        sheet[top : top + pixels.shape[0], left : left + pixels.shape[1]] = pixels
    return sheet


def outline_field(pixels: Pixels, field: ReceptiveField, scale: int) -> Pixels:
    """Return an enlarged image with a frame of two lines around a receptive field.

    A field too small for both lines has the outer one only.
    """
    result = enlarge(pixels, scale)
    top, bottom = field.top * scale, (field.bottom + 1) * scale
    left, right = field.left * scale, (field.right + 1) * scale
    line = max(1, scale // 4)
    for color in OUTLINES:
        area = result[top:bottom, left:right]
        area[:line], area[-line:], area[:, :line], area[:, -line:] = (color,) * 4
        top, bottom, left, right = top + line, bottom - line, left + line, right - line
        if min(bottom - top, right - left) <= 2 * line:
            break
    return result

"""Decode image files such as PNG and JPEG."""

import io
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from csvision.config.limits import MAX_PIXELS
from csvision.errors import DataError, first_line

Array = NDArray[Any]

GRAY_MODES = ("1", "L", "LA", "I;16", "I;16B", "I;16L", "I", "F")

IMAGE_ERRORS = (
    UnidentifiedImageError,
    OSError,
    SyntaxError,
    ValueError,
    Image.DecompressionBombError,
)


def decode_image(where: str, content: bytes | Path, color: bool | None = None) -> Array:
    """Return an encoded image as an array (H, W), or (H, W, 3) if it is in color.

    With `color`, a gray image is repeated in three channels. Transparency is dropped. Raises
    DataError, starting with `where`, if the image cannot be decoded.
    """
    try:
        with Image.open(io.BytesIO(content) if isinstance(content, bytes) else content) as image:
            check_size(where, image.size)
            upright = ImageOps.exif_transpose(image)
            if color or (color is None and image.mode not in GRAY_MODES):
                return np.asarray(upright.convert("RGB"))
            if image.mode in ("1", "LA"):
                upright = upright.convert("L")
            return np.asarray(upright)
    except IMAGE_ERRORS as error:
        if isinstance(error, DataError):
            raise
        raise DataError(f"{where}: not a readable image: {first_line(error)}") from error


def check_size(where: str, size: tuple[int, int]) -> None:
    """Raise DataError if `size` (W, H) is too large to be decoded safely."""
    width, height = size
    if width * height > MAX_PIXELS**2:
        raise DataError(f"{where}: an image of {height}x{width} pixels is too large; resize it")

"""Images laid out otherwise than in their file: a black border, one order of pixels for all."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from csvision import schema
from csvision.data.table import ImageTable
from csvision.geometry import Shape


def arranged(table: ImageTable, data: schema.Data) -> ImageTable:
    """The table with its images (N, C, H, W) as `data` wants them; the same table if it wants none.

    The border comes first; the order of pixels is then one for all images and channels.
    """
    images = table.images
    if data.border:
        images = np.pad(images, ((0, 0), (0, 0), (data.border,) * 2, (data.border,) * 2))
    if data.permutation_seed is not None:
        images = permuted(images, data.permutation_seed)
    return table if images is table.images else replace(table, images=images)


def permuted(images: NDArray[np.uint8], seed: int) -> NDArray[np.uint8]:
    """Images (N, C, H, W) whose pixels all stand in the one order that a seed draws."""
    order = np.random.default_rng(seed).permutation(images.shape[2] * images.shape[3])
    return images.reshape(*images.shape[:2], -1)[:, :, order].reshape(images.shape)


def shape_in_file(image_shape: Shape, data: schema.Data) -> Shape:
    """The shape (C, H, W) that images of an arranged shape have in their file."""
    channels, height, width = image_shape
    return channels, height - 2 * data.border, width - 2 * data.border

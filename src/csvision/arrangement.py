"""Images laid out otherwise than in their file: a black border, one order of pixels for all.

Shapes: B images a batch, C channels, H height, W width.
"""

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from csvision import schema
from csvision.geometry import Shape


class Arrangement(nn.Module):
    """Adds the border, then puts the pixels of every image and channel into one order.

    `image_shape` (C, H, W) is that of the images in their file.
    """

    order: Tensor

    def __init__(self, data: schema.Data, image_shape: Shape) -> None:
        super().__init__()
        self.border = data.border
        _, height, width = arranged_shape(image_shape, data)
        order = np.arange(height * width)
        self.permuted = data.permutation_seed is not None
        if self.permuted:
            order = np.random.default_rng(data.permutation_seed).permutation(height * width)
        # The configuration says it all; checkpoints need not.
        self.register_buffer("order", torch.from_numpy(order), persistent=False)

    def forward(self, images: Tensor) -> Tensor:
        """Images (B, C, H, W) as in their file -> as the network is to see them."""
        if self.border:
            images = F.pad(images, (self.border,) * 4)
        if self.permuted:
            images = images.flatten(2)[:, :, self.order].reshape(images.shape)
        return images


def arranged_shape(image_shape: Shape, data: schema.Data) -> Shape:
    """The shape (C, H, W) that the network sees of images of a shape in their file."""
    channels, height, width = image_shape
    return channels, height + 2 * data.border, width + 2 * data.border

"""Fixed transforms of all images: padding, and one permutation of the pixels.

Shapes: B images per batch, C channels, H height, W width.
"""

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from csvision.config import schema
from csvision.layer_shapes import Shape, transformed_shape


class PadAndPermute(nn.Module):
    """Pads images with black pixels, then permutes the pixels of each channel.

    `image_shape` is (C, H, W) as stored in the file.
    """

    permutation: Tensor

    def __init__(self, data: schema.DataConfig, image_shape: Shape) -> None:
        super().__init__()
        self.pad = data.pad
        self.permuted = data.permutation_seed is not None
        _, height, width = transformed_shape(image_shape, data)
        permutation = np.arange(height * width)
        if self.permuted:
            permutation = np.random.default_rng(data.permutation_seed).permutation(height * width)
        # Not in checkpoints: the configuration determines it.
        self.register_buffer("permutation", torch.from_numpy(permutation), persistent=False)

    def forward(self, images: Tensor) -> Tensor:
        """Images (B, C, H, W) -> images (B, C, H + 2 pad, W + 2 pad)."""
        if self.pad:
            images = F.pad(images, (self.pad,) * 4)
        if self.permuted:
            images = images.flatten(2)[:, :, self.permutation].reshape(images.shape)
        return images

"""Random transforms of whole batches, on the device of the batch.

Shapes: B images per batch, C channels, H height, W width. Each transform has its own random
stream, which depends only on seed and step. Enabling one therefore does not change another, and a
resumed run draws the same numbers.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

from csvision.config import schema
from csvision.rng import derive_seed


def build_augmentation(config: schema.AugmentationConfig, seed: int) -> "Augmentation | None":
    """Return the configured transforms; None if there are none."""
    used = (config.hflip, config.translate, config.cutout, config.impulse_noise)
    return Augmentation(config, seed) if any(used) else None


class Augmentation:
    """Randomly flips, translates, cuts out and adds noise to images (B, C, H, W), uint8."""

    def __init__(self, config: schema.AugmentationConfig, seed: int) -> None:
        self.config = config
        self.seed = seed

    def __call__(self, images: Tensor, step: int) -> Tensor:
        """Return the augmented images of a batch at a step of the fit."""
        config, device = self.config, images.device
        # The names of the streams decide the random numbers; changing them would change every run.
        if config.hflip:
            images = hflip(images, config.hflip, self.generator("flip", step, device))
        if config.translate:
            images = translate(images, config.translate, self.generator("shift", step, device))
        if config.cutout:
            images = cutout(images, config.cutout, self.generator("erase", step, device))
        if config.impulse_noise:
            generator = self.generator("impulse", step, device)
            images = impulse_noise(images, config.impulse_noise, generator)
        return images

    def generator(self, name: str, step: int, device: torch.device) -> torch.Generator:
        """Return the random generator of one transform at one step."""
        return torch.Generator(device).manual_seed(derive_seed(self.seed, name, step))


def hflip(images: Tensor, p: float, generator: torch.Generator) -> Tensor:
    """Flip each image horizontally with probability p."""
    u = torch.rand(len(images), 1, 1, 1, generator=generator, device=images.device)
    return torch.where(u < p, images.flip(3), images)


def translate(images: Tensor, max_shift: int, generator: torch.Generator) -> Tensor:
    """Shift each image by up to `max_shift` pixels along both axes; fill with black."""
    count, _, height, width = images.shape
    device = images.device
    offsets = torch.randint(0, 2 * max_shift + 1, (2, count, 1), generator=generator, device=device)
    rows = (offsets[0] + torch.arange(height, device=device))[:, None, :, None]
    columns = (offsets[1] + torch.arange(width, device=device))[:, None, None, :]
    padded = F.pad(images, (max_shift,) * 4)
    batch_idx = torch.arange(count, device=device)[:, None, None, None]
    channels = torch.arange(images.shape[1], device=device)[None, :, None, None]
    return padded[batch_idx, channels, rows, columns]


def cutout(images: Tensor, size: int, generator: torch.Generator) -> Tensor:
    """Set a square of each image to black (DeVries and Taylor 2017).

    Its center is anywhere in the image, so it may extend beyond the edge.
    """
    count, _, height, width = images.shape
    device = images.device
    centers = torch.rand(2, count, 1, generator=generator, device=device)
    tops = (centers[0] * height).long() - size // 2
    lefts = (centers[1] * width).long() - size // 2
    rows, columns = torch.arange(height, device=device), torch.arange(width, device=device)
    in_rows = (rows >= tops) & (rows < tops + size)
    in_columns = (columns >= lefts) & (columns < lefts + size)
    mask = in_rows[:, None, :, None] & in_columns[:, None, None, :]
    return images.masked_fill(mask, 0)


def impulse_noise(images: Tensor, p: float, generator: torch.Generator) -> Tensor:
    """Set each pixel, in all channels, to black or white with probability p."""
    size = (len(images), 1, *images.shape[2:])
    u = torch.rand(size, generator=generator, device=images.device)
    noise = torch.where(u < p / 2, 0, 255).to(images.dtype)
    return torch.where(u < p, noise, images)

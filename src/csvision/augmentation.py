"""Random changes of whole batches, on the device that they are on.

Shapes: B images a batch, C channels, H height, W width. Each change draws from a stream of its own
that seed and step alone decide, so that switching one on does not shift another and a run can be
taken up at any step.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

from csvision import schema
from csvision.seeding import stream_seed


class Augmentation:
    """Flips, shifts, erases and spoils images (B, C, H, W), uint8, at random."""

    def __init__(self, config: schema.Augmentation, seed: int) -> None:
        self.config = config
        self.seed = seed

    def __call__(self, images: Tensor, step: int) -> Tensor:
        """The images of a batch as the network is to see them at this step of the fit."""
        if self.config.flip:
            images = flip(images, self.config.flip, self.stream("flip", step, images.device))
        if self.config.shift:
            images = shift(images, self.config.shift, self.stream("shift", step, images.device))
        if self.config.erase:
            images = erase(images, self.config.erase, self.stream("erase", step, images.device))
        if self.config.impulse:
            stream = self.stream("impulse", step, images.device)
            images = impulse(images, self.config.impulse, stream)
        return images

    def stream(self, name: str, step: int, device: torch.device) -> torch.Generator:
        """The random numbers of one change at one step."""
        return torch.Generator(device).manual_seed(stream_seed(self.seed, name, step))


def flip(images: Tensor, probability: float, stream: torch.Generator) -> Tensor:
    """Mirror each image left to right with a probability."""
    draws = torch.rand(len(images), 1, 1, 1, generator=stream, device=images.device)
    return torch.where(draws < probability, images.flip(3), images)


def shift(images: Tensor, most: int, stream: torch.Generator) -> Tensor:
    """Move each image by up to `most` pixels along both axes; black comes in."""
    count, _, height, width = images.shape
    device = images.device
    offsets = torch.randint(0, 2 * most + 1, (2, count, 1), generator=stream, device=device)
    rows = (offsets[0] + torch.arange(height, device=device))[:, None, :, None]
    columns = (offsets[1] + torch.arange(width, device=device))[:, None, None, :]
    padded = F.pad(images, (most, most, most, most))
    which = torch.arange(count, device=device)[:, None, None, None]
    channels = torch.arange(images.shape[1], device=device)[None, :, None, None]
    return padded[which, channels, rows, columns]


def erase(images: Tensor, side: int, stream: torch.Generator) -> Tensor:
    """Blacken a square of each image; its centre is anywhere, it may stand over the edge."""
    count, _, height, width = images.shape
    device = images.device
    centres = torch.rand(2, count, 1, generator=stream, device=device)
    tops = (centres[0] * height).long() - side // 2
    lefts = (centres[1] * width).long() - side // 2
    rows, columns = torch.arange(height, device=device), torch.arange(width, device=device)
    in_rows = (rows >= tops) & (rows < tops + side)
    in_columns = (columns >= lefts) & (columns < lefts + side)
    inside = in_rows[:, None, :, None] & in_columns[:, None, None, :]
    return images.masked_fill(inside, 0)


def impulse(images: Tensor, share: float, stream: torch.Generator) -> Tensor:
    """Turn each pixel, in all channels alike, black or white with a probability."""
    size = (len(images), 1, *images.shape[2:])
    draws = torch.rand(size, generator=stream, device=images.device)
    spoilt = torch.where(draws < share / 2, 0, 255).to(images.dtype)
    return torch.where(draws < share, spoilt, images)

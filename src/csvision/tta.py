"""Test-time augmentation: the mean of the probabilities of several views of each image.

Shapes: B images per batch, C channels, H height, W width, K classes.
"""

from collections.abc import Callable, Iterator

import torch
import torch.nn.functional as F
from torch import Tensor

from csvision.config.training_schema import TTA

SHIFTS = ((0, 1), (0, -1), (1, 0), (-1, 0))
"""Rows and columns by which the images of `flip_shift` are moved."""


def average_views(network: Callable[[Tensor], Tensor], images: Tensor, tta: TTA) -> Tensor:
    """Return logits (B, K) whose softmax is the mean of the probabilities of all views.

    `network` maps images (B, C, H, W), as stored in the file, to logits.
    """
    if tta is TTA.none:
        return network(images)
    logits = [network(view).float() for view in views(images, tta)]
    probabilities = torch.stack([each.log_softmax(dim=1) for each in logits])
    return probabilities.logsumexp(dim=0) - torch.tensor(len(logits)).log()


def views(images: Tensor, tta: TTA) -> Iterator[Tensor]:
    """Yield the images, their mirror images and, for flip_shift, both moved by one pixel."""
    for mirrored in (images, images.flip(3)):
        yield mirrored
        if tta is TTA.flip_shift:
            yield from (shift(mirrored, rows, columns) for rows, columns in SHIFTS)


def shift(images: Tensor, rows: int, columns: int) -> Tensor:
    """Move images down and to the right by a number of pixels, negative ones included.

    Pixels from outside are black.
    """
    padding = (max(columns, 0), max(-columns, 0), max(rows, 0), max(-rows, 0))
    height, width = images.shape[2:]
    padded = F.pad(images, padding)
    return padded[:, :, max(-rows, 0) :, max(-columns, 0) :][:, :, :height, :width]

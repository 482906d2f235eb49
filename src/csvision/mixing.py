"""Mix pairs of training images and their labels: mixup and CutMix.

Shapes: B images per batch, C channels, H height, W width. The random numbers of a batch depend only
on seed and step, so a resumed run draws the same ones.
"""

from math import sqrt

import numpy as np
import torch
from torch import Tensor

from csvision.config import schema
from csvision.rng import derive_seed


class Mixing:
    """Mixes the images of a batch with those of a permutation of it.

    Mixup (Zhang et al. 2018) interpolates the pixels, CutMix (Yun et al. 2019) replaces a box. If
    both are on, each batch uses one of them with equal probability.
    """

    def __init__(self, mixup_alpha: float, cutmix_alpha: float, seed: int) -> None:
        self.mixup_alpha = mixup_alpha
        self.cutmix_alpha = cutmix_alpha
        self.seed = seed

    def __call__(self, images: Tensor, labels: Tensor, step: int) -> tuple[Tensor, Tensor, float]:
        """Return mixed images, the other label of each, and the weight of its own label.

        Takes images (B, C, H, W), uint8, and class indices (B,); mixup returns floats from 0 to
        255.
        """
        rng = np.random.default_rng(derive_seed(self.seed, "mixing", step))
        permutation = torch.from_numpy(rng.permutation(len(images))).to(images.device)
        use_cutmix = bool(self.cutmix_alpha) and (not self.mixup_alpha or rng.random() < 0.5)
        if use_cutmix:
            weight = rng.beta(self.cutmix_alpha, self.cutmix_alpha)
            mixed, weight = cutmix(images, images[permutation], weight, rng)
        else:
            weight = float(rng.beta(self.mixup_alpha, self.mixup_alpha))
            mixed = mixup(images, images[permutation], weight)
        return mixed, labels[permutation], weight


def build_mixing(config: schema.AugmentationConfig, seed: int) -> Mixing | None:
    """Return the configured mixing; None if it is off."""
    if not config.mixup_alpha and not config.cutmix_alpha:
        return None
    return Mixing(config.mixup_alpha, config.cutmix_alpha, seed)


def mixup(images: Tensor, others: Tensor, weight: float) -> Tensor:
    """Return weight * images + (1 - weight) * others, as floats."""
    return weight * images.float() + (1 - weight) * others.float()


def cutmix(
    images: Tensor, others: Tensor, weight: float, rng: np.random.Generator
) -> tuple[Tensor, float]:
    """Replace one box of all images by that of the others; about 1 - weight of the area.

    Its center is anywhere, so it may be cut off at the edge. Returns the images and the fraction of
    their own pixels.
    """
    height, width = images.shape[2:]
    sides = round(height * sqrt(1 - weight)), round(width * sqrt(1 - weight))
    top, left = (
        int(rng.integers(size)) - side // 2
        for size, side in zip((height, width), sides, strict=True)
    )
    rows = slice(max(top, 0), min(top + sides[0], height))
    columns = slice(max(left, 0), min(left + sides[1], width))
    mixed = images.clone()
    mixed[:, :, rows, columns] = others[:, :, rows, columns]
    area = (rows.stop - rows.start) * (columns.stop - columns.start)
    return mixed, 1 - area / (height * width)

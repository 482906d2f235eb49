"""Networks that predict the offset of a garment on a larger canvas, and their error.

Shapes: N images, (N, 1, 28, 28) in a table, (N, 1, 40, 40) on the canvas; offsets (N, 2) in pixels.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

from csvision import Subset, build_model, derive_seed, load_splits
from csvision_claims.engine.arms import Arm, load_arm_config
from csvision_claims.measuring.subsets import subset_images

MAX_OFFSET = 6
"""The largest offset along each axis."""

BATCH_SIZE = 32


def move_images(images: Tensor, offsets: Tensor) -> Tensor:
    """Return images on a black canvas with MAX_OFFSET pixels on each side, moved by offsets."""
    count, _, height, width = images.shape
    canvas = F.pad(images, (MAX_OFFSET,) * 4)
    rows = (torch.arange(height + 2 * MAX_OFFSET) - offsets[:, :1]) % (height + 2 * MAX_OFFSET)
    columns = (torch.arange(width + 2 * MAX_OFFSET) - offsets[:, 1:]) % (width + 2 * MAX_OFFSET)
    index = torch.arange(count)[:, None, None]
    return canvas[:, 0][index, rows[:, :, None], columns[:, None, :]][:, None]


def offset_error(
    overrides: list[str], data: list[str], lr: float, seed: int, epochs: int, split: str
) -> float:
    """Train a network to predict offsets and return its mean absolute error in pixels.

    `overrides` select a network as for csvision.train; its two logits are the offset. `split`
    is val or test.
    """
    config = load_arm_config(Arm("offsets", (*overrides, *data)))
    splits = load_splits(config.data, config.debug.limit_rows)
    network = build_model(config.model, (1, 40, 40), 2, derive_seed(seed, "weights"))
    rng = torch.Generator().manual_seed(derive_seed(seed, "offsets"))
    fit(network, subset_images(splits.train), lr, epochs, rng)
    subset = {"val": splits.val, "test": splits.test}[split]
    return mean_abs_error(network.eval(), subset)


def fit(
    network: torch.nn.Module, images: Tensor, lr: float, epochs: int, rng: torch.Generator
) -> None:
    """Train with Adam and one cycle on the absolute error, with new offsets in every epoch."""
    optimizer = torch.optim.Adam(network.parameters(), lr=lr)
    steps = epochs * -(-len(images) // BATCH_SIZE)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, lr, steps, cycle_momentum=False)
    for _ in range(epochs):
        for rows in torch.split(torch.randperm(len(images), generator=rng), BATCH_SIZE):
            offsets = draw_offsets(len(rows), rng)
            predicted = network(move_images(images[rows], offsets).float() / 255)
            loss = F.l1_loss(predicted, offsets.float())
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()


def draw_offsets(count: int, rng: torch.Generator) -> Tensor:
    """Return offsets (count, 2), integers drawn uniformly from -MAX_OFFSET to MAX_OFFSET."""
    return torch.randint(-MAX_OFFSET, MAX_OFFSET + 1, (count, 2), generator=rng)


@torch.no_grad()
def mean_abs_error(network: torch.nn.Module, subset: Subset) -> float:
    """Return the mean absolute error in pixels, with the same offsets for every network."""
    images = subset_images(subset)
    offsets = draw_offsets(len(images), torch.Generator().manual_seed(0))
    total = 0.0
    for rows in torch.split(torch.arange(len(images)), 500):
        predicted = network(move_images(images[rows], offsets[rows]).float() / 255)
        total += float((predicted - offsets[rows]).abs().sum())
    return total / (2 * len(images))

"""Where is the garment: networks that predict its offset on a larger canvas, and their error.

Shapes: N images, (N, 1, 28, 28) in a table, (N, 1, 40, 40) on the canvas; offsets (N, 2) in pixels.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

from csvision.claims.arms import Arm, settings_of
from csvision.claims.measuring.looks import images_of
from csvision.data.split import Part, read_parts
from csvision.models.build import build_network
from csvision.seeding import stream_seed

MOST = 6
"""The largest offset along each axis."""

BATCH_SIZE = 32


def moved(images: Tensor, offsets: Tensor) -> Tensor:
    """Images on a black canvas with MOST pixels on each side, moved by their offsets."""
    count, _, height, width = images.shape
    canvas = F.pad(images, (MOST,) * 4)
    rows = (torch.arange(height + 2 * MOST) - offsets[:, :1]) % (height + 2 * MOST)
    columns = (torch.arange(width + 2 * MOST) - offsets[:, 1:]) % (width + 2 * MOST)
    which = torch.arange(count)[:, None, None]
    return canvas[:, 0][which, rows[:, :, None], columns[:, None, :]][:, None]


def offset_error(
    overrides: list[str], data: list[str], lr: float, seed: int, epochs: int, part: str
) -> float:
    """The mean absolute error in pixels on a part of the data, after training for offsets.

    `overrides` choose a network as for csvision.train; its two logits are the offset.
    """
    settings = settings_of(Arm("offsets", (*overrides, *data)))
    parts = read_parts(settings.data, settings.debug.rows)
    network = build_network(settings.model, (1, 40, 40), 2, stream_seed(seed, "weights"))
    stream = torch.Generator().manual_seed(stream_seed(seed, "offsets"))
    fit(network, images_of(parts.train), lr, epochs, stream)
    return error(network.eval(), {"val": parts.val, "test": parts.test}[part])


def fit(
    network: torch.nn.Module, images: Tensor, lr: float, epochs: int, stream: torch.Generator
) -> None:
    """Adam with one cycle on the absolute error, new offsets every epoch."""
    optimizer = torch.optim.Adam(network.parameters(), lr=lr)
    steps = epochs * -(-len(images) // BATCH_SIZE)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, lr, steps, cycle_momentum=False)
    for _ in range(epochs):
        for rows in torch.split(torch.randperm(len(images), generator=stream), BATCH_SIZE):
            offsets = draw_offsets(len(rows), stream)
            predicted = network(moved(images[rows], offsets).float() / 255)
            loss = F.l1_loss(predicted, offsets.float())
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()


def draw_offsets(count: int, stream: torch.Generator) -> Tensor:
    """Offsets (count, 2), each whole number up to MOST either way as likely."""
    return torch.randint(-MOST, MOST + 1, (count, 2), generator=stream)


@torch.no_grad()
def error(network: torch.nn.Module, part: Part) -> float:
    """The mean absolute error in pixels, under offsets that are the same for every network."""
    images = images_of(part)
    offsets = draw_offsets(len(images), torch.Generator().manual_seed(0))
    total = 0.0
    for rows in torch.split(torch.arange(len(images)), 500):
        predicted = network(moved(images[rows], offsets[rows]).float() / 255)
        total += float((predicted - offsets[rows]).abs().sum())
    return total / (2 * len(images))

"""Batches gathered by index from a table of images.

Shapes: B images a batch, C channels, H height, W width.
"""

from collections.abc import Iterator

import torch
from torch import Tensor

from csvision.data.split import Part
from csvision.seeding import stream_seed

Batch = tuple[Tensor, Tensor]
"""Images (B, C, H, W), uint8, and the class of each (B,), int64."""


class BatchLoader:
    """Gives a part's rows in batches, in an order that seed and epoch alone decide.

    Without a seed the rows come in the part's own order. The last batch may be smaller. Lightning
    tells the epoch through `sampler.set_epoch`.
    """

    def __init__(
        self, part: Part, batch_size: int, seed: int | None = None, pin_memory: bool = False
    ) -> None:
        self.images = torch.from_numpy(part.table.images)
        self.labels = torch.from_numpy(part.table.labels)
        self.rows = torch.from_numpy(part.rows)
        self.batch_size = batch_size
        self.seed = seed
        self.pin_memory = pin_memory
        self.epoch = 0
        # Lightning looks for these two: it sets the epoch through the first.
        self.sampler = self
        self.batch_sampler = None

    def set_epoch(self, epoch: int) -> None:
        """Choose the order of the next pass."""
        self.epoch = epoch

    def __len__(self) -> int:
        return -(-len(self.rows) // self.batch_size)

    def __iter__(self) -> Iterator[Batch]:
        for rows in torch.split(self.order(), self.batch_size):
            images, labels = self.images[rows], self.labels[rows]
            if self.pin_memory:
                images, labels = images.pin_memory(), labels.pin_memory()
            yield images, labels

    def order(self) -> Tensor:
        """The rows of this epoch (rows,), in the order in which they are given."""
        if self.seed is None:
            return self.rows
        generator = torch.Generator().manual_seed(stream_seed(self.seed, "order", self.epoch))
        return self.rows[torch.randperm(len(self.rows), generator=generator)]

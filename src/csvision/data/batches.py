"""Batches gathered by index from a table of images.

Shapes: B images a batch, C channels, H height, W width.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from lightning import Trainer
from torch import Tensor

from csvision.data.split import Part
from csvision.seeding import stream_seed

CPU = torch.device("cpu")

Batch = tuple[Tensor, Tensor]
"""Images (B, C, H, W), uint8, and the class of each (B,), int64."""

SHARE_OF_DEVICE = 0.5
"""Of a device's free memory, the most that a table may take."""


@dataclass(frozen=True)
class Place:
    """Where batches are used: a device, and one of several processes that share the rows."""

    device: torch.device = CPU
    rank: int = 0
    ranks: int = 1

    @classmethod
    def of(cls, trainer: Trainer) -> "Place":
        """The place of a Trainer's process."""
        return cls(trainer.strategy.root_device, trainer.global_rank, trainer.world_size)

    def holds(self, size: int) -> bool:
        """Whether the device is an accelerator with room for `size` bytes."""
        match self.device.type:
            case "cuda":
                return size < SHARE_OF_DEVICE * torch.cuda.mem_get_info(self.device)[0]
            case "mps":
                return size < SHARE_OF_DEVICE * torch.mps.recommended_max_memory()
            case _:
                return False


class BatchLoader:
    """Gives a part's rows in batches, in an order that seed and epoch alone decide.

    Without a seed the rows come in the part's own order. The last batch may be smaller. Lightning
    tells the epoch through `sampler.set_epoch`, and keeps `state_dict` in checkpoints: the next
    pass goes on where that one was. Among several processes each gives its share: in
    training equally many rows (a few, other ones each epoch, are left out), else every row once.
    """

    def __init__(
        self, part: Part, batch_size: int, seed: int | None = None, place: Place | None = None
    ) -> None:
        self.place = place or Place()
        self.images = torch.from_numpy(part.table.images)
        self.labels = torch.from_numpy(part.table.labels)
        self.rows = torch.from_numpy(part.rows)
        if self.place.holds(self.images[0].numel() * len(part)):
            # The whole part lives on the device; batches are gathered there.
            self.images = self.images[self.rows].to(self.place.device)
            self.labels = self.labels[self.rows].to(self.place.device)
            self.rows = torch.arange(len(part))
        self.batch_size = batch_size
        self.seed = seed
        self.epoch = 0
        self.position = 0
        self.start = 0
        # Lightning looks for these two: it sets the epoch through the first.
        self.sampler = self
        self.batch_sampler = None

    def set_epoch(self, epoch: int) -> None:
        """Choose the order of the next pass."""
        self.epoch = epoch

    def state_dict(self) -> dict[str, int]:
        """How many batches of this pass were given; 0 after the last one."""
        return {"position": self.position}

    def load_state_dict(self, state: dict[str, int]) -> None:
        """Begin the next pass, and only that, where another loader was."""
        self.start = state["position"]

    def __len__(self) -> int:
        return -(-len(self.order()) // self.batch_size)

    def __iter__(self) -> Iterator[Batch]:
        # Pinned memory speeds up the copy to a CUDA device and nothing else.
        pin = self.place.device.type == "cuda" and self.images.device.type == "cpu"
        order = self.order()
        # torch.split makes one empty part of nothing.
        batches = torch.split(order, self.batch_size) if len(order) else ()
        first, self.start = self.start, 0
        for index in range(first, len(batches)):
            # Set before the batch is used: a checkpoint after it goes on with the next.
            self.position = (index + 1) % len(batches)
            rows = batches[index]
            chosen = rows.to(self.images.device)
            images, labels = self.images[chosen], self.labels[chosen]
            yield (images.pin_memory(), labels.pin_memory()) if pin else (images, labels)

    def order(self) -> Tensor:
        """The rows that this process gives in this epoch (rows,), in order."""
        order = self.rows
        if self.seed is not None:
            generator = torch.Generator().manual_seed(stream_seed(self.seed, "order", self.epoch))
            order = order[torch.randperm(len(order), generator=generator)]
            order = order[: len(order) - len(order) % self.place.ranks]
        return order[self.place.rank :: self.place.ranks]

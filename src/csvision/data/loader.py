"""Batches gathered by index from a table of images.

Shapes: B images per batch, C channels, H height, W width.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from math import ceil

import torch
from lightning import Trainer
from torch import Tensor

from csvision.data.sampling import ClassSampler
from csvision.data.splits import Subset
from csvision.rng import derive_seed

CPU = torch.device("cpu")

Batch = tuple[Tensor, Tensor]
"""Images (B, C, H, W), uint8, and the class index of each (B,), int64."""

MAX_DEVICE_MEMORY_FRACTION = 0.5
"""The largest fraction of a device's free memory that images may use."""


@dataclass(frozen=True)
class ShardInfo:
    """The device of a process, and its share of the rows by rank and world size."""

    device: torch.device = CPU
    rank: int = 0
    world_size: int = 1

    @classmethod
    def from_trainer(cls, trainer: Trainer) -> "ShardInfo":
        """Return the device and rank of a Trainer."""
        return cls(trainer.strategy.root_device, trainer.global_rank, trainer.world_size)

    def has_memory_for(self, size: int) -> bool:
        """Return whether the device is an accelerator with enough memory for `size` bytes."""
        match self.device.type:
            case "cuda":
                free = torch.cuda.mem_get_info(self.device)[0]
                return size < MAX_DEVICE_MEMORY_FRACTION * free
            case "mps":
                return size < MAX_DEVICE_MEMORY_FRACTION * torch.mps.recommended_max_memory()
            case _:
                return False


class BatchLoader:
    """Iterates over a subset in batches; the order depends only on seed and epoch.

    Without a seed, the order is that of the subset. The last batch may be smaller. Lightning sets
    the epoch through `sampler.set_epoch`. In distributed runs, each process reads every
    world_size-th row. With a seed, as in training, up to world_size - 1 rows are dropped in each
    epoch, so that all processes have the same number of rows. `balanced`, which needs a seed, draws
    rows with replacement, each class equally often on average.
    """

    def __init__(
        self,
        subset: Subset,
        batch_size: int,
        seed: int | None = None,
        shard: ShardInfo | None = None,
        balanced: bool = False,
    ) -> None:
        self.shard = shard or ShardInfo()
        self.images = torch.from_numpy(subset.table.images)
        self.labels = torch.from_numpy(subset.table.labels)
        self.indices = torch.from_numpy(subset.indices)
        if self.shard.has_memory_for(self.images[0].numel() * len(subset)):
            # Keep the whole subset on the device and gather batches there.
            self.images = self.images[self.indices].to(self.shard.device)
            self.labels = self.labels[self.indices].to(self.shard.device)
            self.indices = torch.arange(len(subset))
        self.class_sampler = ClassSampler(subset.labels) if balanced else None
        self.batch_size = batch_size
        self.seed = seed
        self.epoch = 0
        self.next_batch = 0
        self.start_batch = 0
        # Lightning expects these attributes and sets the epoch through the first one.
        self.sampler = self
        self.batch_sampler = None

    def set_epoch(self, epoch: int) -> None:
        """Set the epoch, which decides the order."""
        self.epoch = epoch

    def state_dict(self) -> dict[str, int]:
        """Return the number of batches used in this epoch; 0 after the last one."""
        # Checkpoints of version 0.1 have this key, too.
        return {"position": self.next_batch}

    def load_state_dict(self, state: dict[str, int]) -> None:
        """Resume the next epoch at the saved batch; later epochs start at batch 0."""
        self.start_batch = state["position"]

    def __len__(self) -> int:
        rows, rank, world_size = len(self.indices), self.shard.rank, self.shard.world_size
        if self.seed is not None:
            rows -= rows % world_size
        return ceil(len(range(rank, rows, world_size)) / self.batch_size)

    def __iter__(self) -> Iterator[Batch]:
        # Pinned memory makes the copy to a CUDA device faster.
        pin = self.shard.device.type == "cuda" and self.images.device.type == "cpu"
        indices = self.epoch_indices()
        # torch.split of an empty tensor gives one empty batch.
        batches = torch.split(indices, self.batch_size) if len(indices) else ()
        start, self.start_batch = self.start_batch, 0
        for number in range(start, len(batches)):
            # Updated before the batch is used: a checkpoint after it resumes with the next one.
            self.next_batch = (number + 1) % len(batches)
            index = batches[number].to(self.images.device)
            # Much faster than indexing, which copies image by image in small pieces.
            images = self.images.index_select(0, index)
            labels = self.labels.index_select(0, index)
            yield (images.pin_memory(), labels.pin_memory()) if pin else (images, labels)

    def epoch_indices(self) -> Tensor:
        """Return the rows (N,) of this process in this epoch, in order."""
        indices = self.indices
        if self.seed is not None:
            generator = torch.Generator().manual_seed(derive_seed(self.seed, "order", self.epoch))
            if self.class_sampler is None:
                indices = indices[torch.randperm(len(indices), generator=generator)]
            else:
                indices = indices[self.class_sampler.draw(len(indices), generator)]
            indices = indices[: len(indices) - len(indices) % self.shard.world_size]
        return indices[self.shard.rank :: self.shard.world_size]

"""Batches gathered by index from a table of images.

Shapes: B images per batch, C channels, H height, W width.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from lightning import Trainer
from torch import Tensor

from csvision.data.splits import Subset
from csvision.rng import derive_seed

CPU = torch.device("cpu")

Batch = tuple[Tensor, Tensor]
"""Images (B, C, H, W), uint8, and the class index of each (B,), int64."""

MAX_DEVICE_MEMORY_FRACTION = 0.5
"""The largest fraction of a device's free memory that images may use."""


@dataclass(frozen=True)
class ShardInfo:
    """The device on which batches are used, and the share of the rows of this process."""

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
    the epoch through `sampler.set_epoch` and stores `state_dict` in checkpoints, so that a resumed
    epoch starts at the saved batch. Of several processes, each gets its shard: in training the same
    number of rows (a few rows, other ones each epoch, are dropped), else every row exactly once.
    """

    def __init__(
        self,
        subset: Subset,
        batch_size: int,
        seed: int | None = None,
        shard: ShardInfo | None = None,
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
        self.batch_size = batch_size
        self.seed = seed
        self.epoch = 0
        self.batch_idx = 0
        self.start_batch = 0
        # Lightning expects these attributes and sets the epoch through the first one.
        self.sampler = self
        self.batch_sampler = None

    def set_epoch(self, epoch: int) -> None:
        """Set the epoch, which decides the order."""
        self.epoch = epoch

    def state_dict(self) -> dict[str, int]:
        """Return the number of batches used in this epoch; 0 after the last one."""
        # "position" is the key in the checkpoints of every version.
        return {"position": self.batch_idx}

    def load_state_dict(self, state: dict[str, int]) -> None:
        """Resume the next epoch at the saved batch; later epochs start at batch 0."""
        self.start_batch = state["position"]

    def __len__(self) -> int:
        return -(-len(self.epoch_indices()) // self.batch_size)

    def __iter__(self) -> Iterator[Batch]:
        # Pinned memory makes the copy to a CUDA device faster.
        pin = self.shard.device.type == "cuda" and self.images.device.type == "cpu"
        indices = self.epoch_indices()
        # torch.split of an empty tensor gives one empty batch.
        batches = torch.split(indices, self.batch_size) if len(indices) else ()
        start, self.start_batch = self.start_batch, 0
        for number in range(start, len(batches)):
            # Updated before the batch is used: a checkpoint after it resumes with the next one.
            self.batch_idx = (number + 1) % len(batches)
            index = batches[number].to(self.images.device)
            images, labels = self.images[index], self.labels[index]
            yield (images.pin_memory(), labels.pin_memory()) if pin else (images, labels)

    def epoch_indices(self) -> Tensor:
        """Return the rows (N,) of this process in this epoch, in order."""
        indices = self.indices
        if self.seed is not None:
            generator = torch.Generator().manual_seed(derive_seed(self.seed, "order", self.epoch))
            indices = indices[torch.randperm(len(indices), generator=generator)]
            indices = indices[: len(indices) - len(indices) % self.shard.world_size]
        return indices[self.shard.rank :: self.shard.world_size]

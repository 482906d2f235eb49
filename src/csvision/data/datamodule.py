"""The splits of a CSV file as a LightningDataModule."""

from typing import Any

from lightning import LightningDataModule

from csvision.data.loader import BatchLoader, ShardInfo
from csvision.data.splits import Splits


class CSVDataModule(LightningDataModule):
    """Provides the splits as batches of uint8 images and class indices.

    Saves and restores the position of the training loader. Lightning 2.6 restores it, too, except
    when a scheduler asks for the number of steps before the checkpoint is loaded.
    """

    def __init__(
        self, splits: Splits, batch_size: int, seed: int, balanced_sampling: bool = False
    ) -> None:
        super().__init__()
        self.splits = splits
        self.batch_size = batch_size
        self.seed = seed
        self.balanced_sampling = balanced_sampling
        self.train_loader: BatchLoader | None = None
        self.resume_state: dict[str, Any] = {}

    def __str__(self) -> str:
        """Return the numbers of rows; Lightning's own text needs loaders of torch."""
        splits = self.splits
        return (
            f"CSVDataModule(train={len(splits.train)}, val={len(splits.val)}, "
            f"test={len(splits.test)}, batch_size={self.batch_size})"
        )

    @property
    def shard(self) -> ShardInfo:
        """Device and rank of the Trainer; the CPU without a Trainer."""
        return ShardInfo() if self.trainer is None else ShardInfo.from_trainer(self.trainer)

    def train_dataloader(self) -> BatchLoader:
        """Return the training rows, in a new order each epoch; with balanced_sampling, drawn."""
        self.train_loader = BatchLoader(
            self.splits.train, self.batch_size, self.seed, self.shard, self.balanced_sampling
        )
        if self.resume_state:
            self.train_loader.load_state_dict(self.resume_state)
            self.resume_state = {}
        return self.train_loader

    def state_dict(self) -> dict[str, Any]:
        """Return the state of the training loader."""
        return {} if self.train_loader is None else self.train_loader.state_dict()

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Keep the state until the training loader is created."""
        self.resume_state = state_dict

    def val_dataloader(self) -> BatchLoader | list[BatchLoader]:
        """Return the validation rows; an empty list, which Lightning skips, if there are none."""
        if not len(self.splits.val):
            return []
        return BatchLoader(self.splits.val, self.batch_size, shard=self.shard)

    def test_dataloader(self) -> BatchLoader:
        """Return the test rows."""
        return BatchLoader(self.splits.test, self.batch_size, shard=self.shard)

"""The CSV split as a LightningDataModule."""

from typing import Any

from lightning import LightningDataModule

from csvision.data.batches import BatchLoader, Place
from csvision.data.split import Parts


class CSVDataModule(LightningDataModule):
    """Gives the parts of a CSV file to a Trainer as batches of uint8 images and classes.

    Checkpoints keep how far the epoch is. Lightning 2.6 would do that by the loader alone, but not
    where a schedule asked for the number of steps before the checkpoint was loaded.
    """

    def __init__(self, parts: Parts, batch_size: int, seed: int) -> None:
        super().__init__()
        self.parts = parts
        self.batch_size = batch_size
        self.seed = seed
        self.train_loader: BatchLoader | None = None
        self.loaded: dict[str, Any] = {}

    @property
    def place(self) -> Place:
        """Where the Trainer is; the CPU without one."""
        return Place() if self.trainer is None else Place.of(self.trainer)

    def train_dataloader(self) -> BatchLoader:
        """The training rows, in a new order each epoch."""
        self.train_loader = BatchLoader(self.parts.train, self.batch_size, self.seed, self.place)
        if self.loaded:
            self.train_loader.load_state_dict(self.loaded)
            self.loaded = {}
        return self.train_loader

    def state_dict(self) -> dict[str, Any]:
        """How far the epoch is."""
        return {} if self.train_loader is None else self.train_loader.state_dict()

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Let the training rows go on from there."""
        self.loaded = state_dict

    def val_dataloader(self) -> BatchLoader | list[BatchLoader]:
        """The validation rows; an empty list, which Lightning skips, when there are none."""
        if not len(self.parts.val):
            return []
        return BatchLoader(self.parts.val, self.batch_size, place=self.place)

    def test_dataloader(self) -> BatchLoader:
        """The test rows."""
        return BatchLoader(self.parts.test, self.batch_size, place=self.place)

"""The CSV split as a LightningDataModule."""

from lightning import LightningDataModule

from csvision.data.batches import BatchLoader, Place
from csvision.data.split import Parts


class CSVDataModule(LightningDataModule):
    """Gives the parts of a CSV file to a Trainer as batches of uint8 images and classes."""

    def __init__(self, parts: Parts, batch_size: int, seed: int) -> None:
        super().__init__()
        self.parts = parts
        self.batch_size = batch_size
        self.seed = seed

    @property
    def place(self) -> Place:
        """Where the Trainer is; the CPU without one."""
        return Place() if self.trainer is None else Place.of(self.trainer)

    def train_dataloader(self) -> BatchLoader:
        """The training rows, in a new order each epoch."""
        return BatchLoader(self.parts.train, self.batch_size, self.seed, self.place)

    def val_dataloader(self) -> BatchLoader | list[BatchLoader]:
        """The validation rows; an empty list, which Lightning skips, when there are none."""
        if not len(self.parts.val):
            return []
        return BatchLoader(self.parts.val, self.batch_size, place=self.place)

    def test_dataloader(self) -> BatchLoader:
        """The test rows."""
        return BatchLoader(self.parts.test, self.batch_size, place=self.place)

"""The data module gives a Trainer the rows of each split."""

from pathlib import Path

import numpy as np
import pytest
import torch
from lightning import LightningModule
from torch import Tensor, nn

from csvision.data.datamodule import CSVDataModule
from csvision.data.loader import Batch, BatchLoader
from csvision.data.splits import Splits, Subset
from csvision.data.table import ImageTable
from csvision.run.log import ignore_known_warnings
from tests.conftest import silent_trainer

SEED, BATCH_SIZE = 5, 4


class Recorder(LightningModule):
    """Records the number of every image in a batch."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(1, 1)
        self.train_epochs: list[list[int]] = []
        self.val_epochs: list[list[int]] = []
        self.tested: list[int] = []

    def on_train_epoch_start(self) -> None:
        self.train_epochs.append([])

    def training_step(self, batch: Batch, batch_idx: int) -> Tensor:
        self.train_epochs[-1] += numbers(batch)
        loss: Tensor = self.layer(torch.ones(1, 1)).sum()
        return loss

    def on_validation_epoch_start(self) -> None:
        self.val_epochs.append([])

    def validation_step(self, batch: Batch, batch_idx: int) -> None:
        self.val_epochs[-1] += numbers(batch)

    def test_step(self, batch: Batch, batch_idx: int) -> None:
        self.tested += numbers(batch)

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.SGD(self.parameters(), lr=0.1)


def numbers(batch: Batch) -> list[int]:
    """Return the numbers of the images in a batch; check each against its label."""
    images, labels = batch
    assert images.dtype == torch.uint8
    assert labels.tolist() == [number % 3 for number in images.flatten().tolist()]
    return [int(number) for number in images.flatten()]


def numbered_splits(train: list[int], val: list[int], test: list[int]) -> Splits:
    """Return rows of a table whose image n is the pixel n and has class n % 3."""
    images = np.arange(60, dtype=np.uint8).reshape(60, 1, 1, 1)
    table = ImageTable.from_arrays(images, np.arange(60) % 3, [0, 1, 2], ["a", "b", "c"])
    return Splits(*(Subset(table, np.array(rows, np.int64)) for rows in (train, val, test)))


@pytest.fixture
def splits() -> Splits:
    return numbered_splits(list(range(30)), [44, 40, 42, 41, 43], [59, 50, 55])


@pytest.fixture
def data(splits: Splits) -> CSVDataModule:
    return CSVDataModule(splits, BATCH_SIZE, SEED)


def loader_epochs(subset: Subset, epochs: int) -> list[list[int]]:
    """Return the rows of each epoch if the loader is used directly."""
    loader = BatchLoader(subset, BATCH_SIZE, SEED)
    found = []
    for epoch in range(epochs):
        loader.set_epoch(epoch)
        found.append([number for batch in loader for number in numbers(batch)])
    return found


def test_trainer_sets_the_epoch_of_the_loader(splits: Splits, data: CSVDataModule) -> None:
    recorder = Recorder()
    with ignore_known_warnings():
        silent_trainer(max_epochs=3).fit(recorder, data)
    assert recorder.train_epochs == loader_epochs(splits.train, 3)
    assert len({tuple(epoch) for epoch in recorder.train_epochs}) == 3
    assert all(sorted(epoch) == list(range(30)) for epoch in recorder.train_epochs)


def test_resumed_fit_continues_with_the_next_epoch(
    splits: Splits, data: CSVDataModule, tmp_path: Path
) -> None:
    first, second = Recorder(), Recorder()
    with ignore_known_warnings():
        trainer = silent_trainer(max_epochs=2)
        trainer.fit(first, data)
        trainer.save_checkpoint(tmp_path / "last.ckpt")
        silent_trainer(max_epochs=3).fit(
            second, data, ckpt_path=tmp_path / "last.ckpt", weights_only=True
        )
    assert first.train_epochs + second.train_epochs == loader_epochs(splits.train, 3)


def test_validation_and_test_rows_are_complete_and_in_order(data: CSVDataModule) -> None:
    recorder = Recorder()
    with ignore_known_warnings():
        trainer = silent_trainer(max_epochs=2)
        trainer.fit(recorder, data)
        trainer.test(recorder, data, verbose=False)
    assert recorder.val_epochs == [[44, 40, 42, 41, 43]] * 2
    assert recorder.tested == [59, 50, 55]


def test_without_validation_rows_nothing_is_validated() -> None:
    data = CSVDataModule(numbered_splits([0, 1, 2], [], [3]), BATCH_SIZE, SEED)
    recorder = Recorder()
    with ignore_known_warnings():
        # The Trainer of a run without validation rows has the same limit.
        silent_trainer(max_epochs=2, limit_val_batches=0).fit(recorder, data)
    assert recorder.val_epochs == []
    assert [sorted(epoch) for epoch in recorder.train_epochs] == [[0, 1, 2]] * 2


def test_trainer_that_expects_validation_rows_warns() -> None:
    data = CSVDataModule(numbered_splits([0, 1, 2], [], [3]), BATCH_SIZE, SEED)
    recorder = Recorder()
    with ignore_known_warnings(), pytest.warns(UserWarning, match="Total length of `list`"):
        silent_trainer(max_epochs=2).fit(recorder, data)
    assert recorder.val_epochs == []
    assert len(recorder.train_epochs) == 2


def test_memory_is_not_pinned_on_the_cpu(data: CSVDataModule) -> None:
    with ignore_known_warnings():
        silent_trainer(max_epochs=1).fit(Recorder(), data)
    assert not any(images.is_pinned() for images, _ in data.train_dataloader())

"""The data module in the hands of a real Trainer."""

from pathlib import Path

import numpy as np
import pytest
import torch
from lightning import LightningModule
from torch import Tensor, nn

from csvision.data.batches import Batch, BatchLoader
from csvision.data.module import CSVDataModule
from csvision.data.split import Part, Parts
from csvision.data.table import table_of
from csvision.run.log import known_warnings_ignored
from tests.conftest import silent_trainer

SEED, BATCH_SIZE = 5, 4


class Recorder(LightningModule):
    """Keeps the number of every image that it is shown."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(1, 1)
        self.train_epochs: list[list[int]] = []
        self.val_epochs: list[list[int]] = []
        self.tested: list[int] = []

    def on_train_epoch_start(self) -> None:
        self.train_epochs.append([])

    def training_step(self, batch: Batch, batch_index: int) -> Tensor:
        self.train_epochs[-1] += numbers(batch)
        loss: Tensor = self.layer(torch.ones(1, 1)).sum()
        return loss

    def on_validation_epoch_start(self) -> None:
        self.val_epochs.append([])

    def validation_step(self, batch: Batch, batch_index: int) -> None:
        self.val_epochs[-1] += numbers(batch)

    def test_step(self, batch: Batch, batch_index: int) -> None:
        self.tested += numbers(batch)

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.SGD(self.parameters(), lr=0.1)


def numbers(batch: Batch) -> list[int]:
    """The numbers of a batch's images, each checked against its label."""
    images, labels = batch
    assert images.dtype == torch.uint8
    assert labels.tolist() == [number % 3 for number in images.flatten().tolist()]
    return [int(number) for number in images.flatten()]


def parts_of(train: list[int], val: list[int], test: list[int]) -> Parts:
    """Rows of one table whose image number n is the pixel n and has class n % 3."""
    images = np.arange(60, dtype=np.uint8).reshape(60, 1, 1, 1)
    table = table_of(images, np.arange(60) % 3, [0, 1, 2], ["a", "b", "c"])
    return Parts(*(Part(table, np.array(rows, np.int64)) for rows in (train, val, test)))


@pytest.fixture
def parts() -> Parts:
    return parts_of(list(range(30)), [44, 40, 42, 41, 43], [59, 50, 55])


@pytest.fixture
def data(parts: Parts) -> CSVDataModule:
    return CSVDataModule(parts, BATCH_SIZE, SEED)


def orders(part: Part, epochs: int) -> list[list[int]]:
    """The rows of each epoch as the loader gives them when it is told the epoch."""
    loader = BatchLoader(part, BATCH_SIZE, SEED)
    found = []
    for epoch in range(epochs):
        loader.set_epoch(epoch)
        found.append([number for batch in loader for number in numbers(batch)])
    return found


def test_lightning_tells_the_loader_each_epoch(parts: Parts, data: CSVDataModule) -> None:
    recorder = Recorder()
    with known_warnings_ignored():
        silent_trainer(max_epochs=3).fit(recorder, data)
    assert recorder.train_epochs == orders(parts.train, 3)
    assert len({tuple(epoch) for epoch in recorder.train_epochs}) == 3
    assert all(sorted(epoch) == list(range(30)) for epoch in recorder.train_epochs)


def test_a_fit_that_is_taken_up_again_goes_on_with_the_next_order(
    parts: Parts, data: CSVDataModule, tmp_path: Path
) -> None:
    first, second = Recorder(), Recorder()
    with known_warnings_ignored():
        begun = silent_trainer(max_epochs=2)
        begun.fit(first, data)
        begun.save_checkpoint(tmp_path / "last.ckpt")
        silent_trainer(max_epochs=3).fit(
            second, data, ckpt_path=tmp_path / "last.ckpt", weights_only=True
        )
    assert first.train_epochs + second.train_epochs == orders(parts.train, 3)


def test_validation_and_test_rows_come_whole_and_in_order(data: CSVDataModule) -> None:
    recorder = Recorder()
    with known_warnings_ignored():
        tester = silent_trainer(max_epochs=2)
        tester.fit(recorder, data)
        tester.test(recorder, data, verbose=False)
    assert recorder.val_epochs == [[44, 40, 42, 41, 43]] * 2
    assert recorder.tested == [59, 50, 55]


def test_without_validation_rows_there_is_no_validation_and_no_warning() -> None:
    data = CSVDataModule(parts_of([0, 1, 2], [], [3]), BATCH_SIZE, SEED)
    recorder = Recorder()
    with known_warnings_ignored():
        # As run/train.py has it for such a run.
        silent_trainer(max_epochs=2, limit_val_batches=0).fit(recorder, data)
    assert recorder.val_epochs == []
    assert [sorted(epoch) for epoch in recorder.train_epochs] == [[0, 1, 2]] * 2


def test_a_trainer_that_expects_validation_rows_warns_and_validates_nothing() -> None:
    data = CSVDataModule(parts_of([0, 1, 2], [], [3]), BATCH_SIZE, SEED)
    recorder = Recorder()
    with known_warnings_ignored(), pytest.warns(UserWarning, match="Total length of `list`"):
        silent_trainer(max_epochs=2).fit(recorder, data)
    assert recorder.val_epochs == []
    assert len(recorder.train_epochs) == 2


def test_memory_is_not_pinned_for_the_cpu(data: CSVDataModule) -> None:
    with known_warnings_ignored():
        silent_trainer(max_epochs=1).fit(Recorder(), data)
    assert not any(images.is_pinned() for images, _ in data.train_dataloader())

"""Equality with the course notebook: step by step the losses of its loop, written by hand."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
import torch.nn.functional as F
from lightning import Callback, LightningModule, Trainer
from sklearn.model_selection import train_test_split
from torch import Tensor, nn

from csvision import config, schema
from csvision.classifier import Classifier
from csvision.data.module import CSVDataModule
from csvision.data.source import source_path
from csvision.data.split import read_parts
from csvision.models.build import build_network
from csvision.run.log import known_warnings_ignored

STEPS = 150
"""4,800 training images in batches of 32."""


def notebook_network(model: str) -> nn.Sequential:
    """The notebook's layers, from images (N, 784) to logits (N, 10)."""
    if model == "mlp":
        return nn.Sequential(
            nn.Linear(784, 128), nn.ReLU(), nn.Linear(128, 64), nn.ReLU(), nn.Linear(64, 10)
        )
    return nn.Sequential(
        nn.Unflatten(1, (1, 28, 28)),
        nn.Conv2d(1, 32, kernel_size=3, padding=1),
        nn.ReLU(),
        nn.MaxPool2d(2, 2),
        nn.Conv2d(32, 64, kernel_size=3, padding=1),
        nn.ReLU(),
        nn.MaxPool2d(2, 2),
        nn.Flatten(),
        nn.Linear(64 * 7 * 7, 64),
        nn.ReLU(),
        nn.Linear(64, 10),
    )


def losses_by_hand(network: nn.Module, rows: Tensor) -> list[float]:
    """The notebook's epoch over these rows of the file, in this order."""
    table = pd.read_csv(source_path("embedded")).to_numpy()
    train, _ = train_test_split(np.arange(len(table)), test_size=0.2, random_state=20)
    assert sorted(rows.tolist()) == sorted(train.tolist())
    images = torch.tensor(table[:, 1:] / 255, dtype=torch.float32)
    labels = torch.tensor(table[:, 0])
    optimizer = torch.optim.SGD(network.parameters(), lr=0.1)
    losses = []
    for batch in torch.split(rows, 32):
        loss = F.cross_entropy(network(images[batch]), labels[batch])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


class StepLosses(Callback):
    """Keeps the loss of every step."""

    def __init__(self) -> None:
        self.losses: list[float] = []

    def on_train_batch_end(
        self,
        trainer: Trainer,
        pl_module: LightningModule,
        outputs: Tensor | Mapping[str, Any] | None,
        batch: Any,
        batch_idx: int,
    ) -> None:
        assert isinstance(outputs, Mapping)
        self.losses.append(outputs["loss"].item())


def first_epoch(classifier: Classifier, data: CSVDataModule) -> list[float]:
    """The losses of csvision's first epoch."""
    recorded = StepLosses()
    trainer = Trainer(
        accelerator="cpu",
        max_epochs=1,
        callbacks=[recorded],
        limit_val_batches=0,
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
    )
    with known_warnings_ignored():
        trainer.fit(classifier, data)
    return recorded.losses


@pytest.mark.parametrize("model", ["mlp", "cnn"])
def test_first_epoch_has_the_losses_of_the_notebook_step_by_step(model: str) -> None:
    settings: schema.Train = config.load(config.compose("train", [f"experiment=notebook_{model}"]))
    parts = read_parts(settings.data)
    network = build_network(settings.model, (1, 28, 28), classes=10, seed=settings.seed)
    by_hand = notebook_network(model)
    pairs = zip(by_hand.parameters(), network.parameters(), strict=True)
    with torch.no_grad():
        for notebooks, ours in pairs:
            assert notebooks.shape == ours.shape
            notebooks.copy_(ours)
    data = CSVDataModule(parts, settings.batch_size, settings.seed)
    classifier = Classifier(
        network, parts.train.table.classes, settings.optimizer, settings.scheduler
    )

    losses = first_epoch(classifier, data)

    assert len(losses) == STEPS
    assert np.mean(losses[-20:]) < 0.5 * losses[0]
    expected = losses_by_hand(by_hand, data.train_dataloader().order())
    np.testing.assert_allclose(losses, expected, rtol=1e-4)

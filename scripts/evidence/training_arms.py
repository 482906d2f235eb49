"""What the benchmark of training compares: loops that train the notebook's networks.

Each arm trains on the same 4,800 rows with plain SGD and returns its Result.
"""

import logging
import tempfile
import time
from collections.abc import Callable, Sequence
from functools import cache
from importlib.util import find_spec
from typing import Any

import lightning
import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils.data import DataLoader

import csvision
import notebook
from csvision.run.log import ignore_known_warnings
from training_results import Result, Task


@cache
def read_splits() -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Return training images and labels, test images and labels."""
    images, labels = notebook.read_data()
    train, test = notebook.split_rows(len(images))
    return images[train], labels[train], images[test], labels[test]


def build(task: Task) -> tuple[nn.Sequential, torch.optim.SGD]:
    """Return the network of the notebook with its optimizer."""
    torch.manual_seed(task.seed)
    network = notebook.build_model(task.model)
    return network, torch.optim.SGD(network.parameters(), lr=notebook.LR)


def make_loader(task: Task) -> DataLoader[tuple[Tensor, Tensor]]:
    """Return the training rows as the notebook iterates over them."""
    images, labels, *_ = read_splits()
    dataset = notebook.ImageDataset(images, labels)
    return DataLoader(dataset, batch_size=task.batch_size, shuffle=True)


def train_notebook(task: Task) -> Result:
    """Train with the loop of the notebook."""
    network, optimizer = build(task)
    result = Result()
    for _ in range(task.epochs):
        with result.timed():
            notebook.fit_epoch(network, optimizer, make_loader(task))
    result.accuracy = notebook.accuracy(network, *read_splits()[2:])
    return result


class PlainModule(lightning.LightningModule):
    """The notebook's network in the smallest LightningModule that logs its loss."""

    def __init__(self, task: Task) -> None:
        super().__init__()
        self.network, self.optimizer = build(task)

    def training_step(self, batch: Sequence[Tensor], batch_idx: int) -> Tensor:
        """Return the loss of a batch."""
        images, labels = batch
        loss = F.cross_entropy(self.network(images), labels)
        self.log("train/loss", loss, on_step=False, on_epoch=True)
        return loss

    def configure_optimizers(self) -> torch.optim.Optimizer:
        """Return the optimizer."""
        return self.optimizer


class EpochTimer(lightning.Callback):
    """Measures the epochs of a Trainer."""

    def __init__(self) -> None:
        self.seconds: list[float] = []
        self.started = 0.0

    def on_train_epoch_start(self, *_: Any) -> None:
        """Start the clock."""
        self.started = time.perf_counter()

    def on_train_epoch_end(self, *_: Any) -> None:
        """Stop the clock."""
        self.seconds.append(time.perf_counter() - self.started)


def train_lightning(task: Task) -> Result:
    """Train with Lightning's Trainer, without logger and checkpoints."""
    module, timer = PlainModule(task), EpochTimer()
    logging.getLogger("lightning.pytorch").setLevel(logging.WARNING)
    with ignore_known_warnings():
        lightning.Trainer(
            accelerator="cpu",
            max_epochs=task.epochs,
            callbacks=[timer],
            logger=False,
            enable_checkpointing=False,
            enable_progress_bar=False,
            enable_model_summary=False,
        ).fit(module, make_loader(task))
    return Result(timer.seconds, notebook.accuracy(module.network, *read_splits()[2:]))


def train_skorch(task: Task) -> Result:
    """Train with skorch, without its validation split."""
    from skorch import NeuralNetClassifier

    images, labels, *test = read_splits()
    torch.manual_seed(task.seed)
    classifier = NeuralNetClassifier(
        notebook.build_model(task.model),
        criterion=nn.CrossEntropyLoss,
        optimizer=torch.optim.SGD,
        lr=notebook.LR,
        batch_size=task.batch_size,
        max_epochs=1,
        train_split=None,
        iterator_train__shuffle=True,
        verbose=0,
    ).initialize()
    result = Result()
    for _ in range(task.epochs):
        with result.timed():
            classifier.partial_fit(images, labels)
    result.accuracy = notebook.accuracy(classifier.module_, *test)
    return result


def train_sklearn(task: Task) -> Result:
    """Train scikit-learn's MLPClassifier; it has no CNN."""
    from sklearn.neural_network import MLPClassifier

    images, labels, test_images, test_labels = (array.numpy() for array in read_splits())
    classifier = MLPClassifier(
        (128, 64),
        solver="sgd",
        alpha=0.0,
        momentum=0.0,
        learning_rate_init=notebook.LR,
        batch_size=task.batch_size,
        random_state=task.seed,
    )
    result = Result()
    for _ in range(task.epochs):
        with result.timed():
            classifier.partial_fit(images, labels, classes=np.arange(10))
    result.accuracy = float(classifier.score(test_images, test_labels))
    return result


def train_tensors(task: Task, repeat_batch: bool = False, bf16: bool = False) -> Result:
    """Train on batches that are indexed from tensors, with convolutions in channels_last.

    With `repeat_batch`, every step gets the same batch, so that an epoch consists of the
    arithmetic alone.
    """
    images, labels, *test = read_splits()
    network, optimizer = build(task)
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    result = Result()
    for _ in range(task.epochs):
        with result.timed():
            order = torch.randperm(len(labels))
            batch = images[order[: task.batch_size]], labels[order[: task.batch_size]]
            for rows in torch.split(order, task.batch_size):
                if not repeat_batch:
                    batch = images[rows], labels[rows]
                with torch.autocast("cpu", torch.bfloat16, enabled=bf16):
                    loss = F.cross_entropy(network(batch[0]), batch[1])
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
    if not repeat_batch:
        result.accuracy = notebook.accuracy(network, *test)
    return result


def train_csvision(task: Task, precision: str = "32-true") -> Result:
    """Train with csvision, with metrics, checkpoints and TensorBoard.

    The time of an epoch is the difference between runs of `epochs` + 1 epochs and of one, so that
    everything that csvision does in an epoch counts. The first run warms up and does not count.
    """
    seconds, accuracies = [], []
    for epochs in (1, 1, task.epochs + 1):
        with tempfile.TemporaryDirectory() as folder:
            start = time.perf_counter()
            trained = csvision.train(
                f"experiment=notebook_{task.model}",
                f"batch_size={task.batch_size}",
                f"epochs={epochs}",
                f"seed={task.seed}",
                f"accelerator.precision={precision}",
                f"output_dir={folder}",
                "accelerator=cpu",
                "quiet=true",
            )
            seconds.append(time.perf_counter() - start)
            accuracies.append(trained.metrics["test/acc"])
    return Result([(seconds[-1] - seconds[-2]) / task.epochs], accuracies[-1])


def list_arms() -> dict[str, Callable[[Task], Result | None]]:
    """Return all arms by name; the first one is the reference."""
    arms: dict[str, Callable[[Task], Result | None]] = {
        "notebook loop": train_notebook,
        "plain Lightning": train_lightning,
    }
    if find_spec("skorch") is not None:
        arms["skorch"] = train_skorch
    return arms | {
        "scikit-learn": lambda task: train_sklearn(task) if task.model == "mlp" else None,
        "tensors": train_tensors,
        "tensors, bf16": lambda task: train_tensors(task, bf16=True),
        "one batch repeated": lambda task: train_tensors(task, repeat_batch=True),
        "csvision": train_csvision,
        "csvision, bf16": lambda task: train_csvision(task, "bf16-mixed"),
    }

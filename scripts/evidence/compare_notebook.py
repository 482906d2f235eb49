"""Compare the test accuracy of csvision with that of the course notebook's training loop.

Both train the notebook's networks on the same rows with the same settings. Initial weights and the
order of the rows differ, so accuracies agree on average only. The default takes about 2 minutes.
"""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from statistics import mean
from typing import Any

import pandas as pd
import torch
import torch.nn.functional as F
from sklearn.model_selection import train_test_split
from torch import Tensor, nn

import csvision
from evidence_options import parse_options

BATCH_SIZE, LR = 32, 0.1


@dataclass
class Options:
    """The options of this script."""

    seeds: int = csvision.option("number of seeds, from 0", 3, ge=1, le=1000)
    epochs: int = csvision.option("epochs of each run; the notebook has 10", 10, ge=1, le=1000)
    output_dir: str = csvision.option("folder of csvision's runs", "outputs")


def read_data() -> tuple[Tensor, Tensor]:
    """Return all images (N, 784) with values from 0 to 1, and their labels (N,)."""
    table = pd.read_csv(csvision.resolve_path("bundled")).to_numpy()
    return torch.tensor(table[:, 1:] / 255, dtype=torch.float32), torch.tensor(table[:, 0])


def split_rows(count: int) -> tuple[Tensor, Tensor]:
    """Return the notebook's rows for training and for testing."""
    train, test = train_test_split(range(count), test_size=0.2, random_state=20)
    return torch.tensor(train), torch.tensor(test)


def build_notebook_model(model: str) -> nn.Sequential:
    """Return the notebook's MLP or CNN, from images (N, 784) to logits (N, 10)."""
    if model == "mlp":
        hidden = [nn.Linear(784, 128), nn.ReLU(), nn.Linear(128, 64), nn.ReLU()]
        return nn.Sequential(*hidden, nn.Linear(64, 10))
    first = [nn.Unflatten(1, (1, 28, 28)), nn.Conv2d(1, 32, 3, padding=1), nn.ReLU()]
    second = [nn.MaxPool2d(2, 2), nn.Conv2d(32, 64, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2, 2)]
    dense = [nn.Flatten(), nn.Linear(3136, 64), nn.ReLU(), nn.Linear(64, 10)]
    return nn.Sequential(*first, *second, *dense)


def fit(
    network: nn.Module, images: Tensor, labels: Tensor, orders: Iterable[Tensor]
) -> list[float]:
    """Train with SGD, one epoch for each order of the rows; return the loss of every step."""
    optimizer = torch.optim.SGD(network.parameters(), lr=LR)
    losses = []
    for order in orders:
        for batch in torch.split(order, BATCH_SIZE):
            loss = F.cross_entropy(network(images[batch]), labels[batch])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
    return losses


def notebook_accuracy(model: str, seed: int, epochs: int) -> float:
    """Train with the notebook's loop; return the test accuracy that the notebook prints."""
    torch.manual_seed(seed)
    images, labels = read_data()
    train, test = split_rows(len(images))
    network = build_notebook_model(model)
    fit(network, images, labels, (train[torch.randperm(len(train))] for _ in range(epochs)))
    with torch.no_grad():
        return float((network(images[test]).argmax(1) == labels[test]).float().mean())


def csvision_accuracy(model: str, seed: int, options: Options) -> float:
    """Train with csvision; return the test accuracy."""
    result = csvision.train(
        f"experiment=notebook_{model}",
        f"seed={seed}",
        f"epochs={options.epochs}",
        f"output_dir={options.output_dir}",
        "accelerator=cpu",
        "logger=none",
        "quiet=true",
    )
    return result.metrics["test/acc"]


def timed(function: Callable[..., float], *arguments: Any) -> tuple[float, float]:
    """Return the result of a function and the seconds it took."""
    start = time.perf_counter()
    return function(*arguments), time.perf_counter() - start


def main() -> None:
    """Print one row for each run and the mean of each model."""
    options = parse_options(Options, __doc__)
    print(f"{'model':<5} {'seed':>4} {'csvision':>9} {'notebook':>9} {'difference':>11}", end="")
    print(f" {'csvision s':>11} {'notebook s':>11}", flush=True)
    for model in ("mlp", "cnn"):
        rows = []
        for seed in range(options.seeds):
            ours, our_seconds = timed(csvision_accuracy, model, seed, options)
            theirs, their_seconds = timed(notebook_accuracy, model, seed, options.epochs)
            rows.append((ours, theirs, ours - theirs, our_seconds, their_seconds))
            print(format_row(model, str(seed), rows[-1]), flush=True)
        print(format_row(model, "mean", [mean(column) for column in zip(*rows, strict=True)]))


def format_row(model: str, seed: str, values: Iterable[float]) -> str:
    """Format one row of the table."""
    ours, theirs, difference, our_seconds, their_seconds = values
    return (
        f"{model:<5} {seed:>4} {ours:>9.4f} {theirs:>9.4f} {difference:>+11.4f} "
        f"{our_seconds:>11.1f} {their_seconds:>11.1f}"
    )


if __name__ == "__main__":
    main()

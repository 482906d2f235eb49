"""Compare csvision with the course notebook's loop, written by hand: python scripts/notebook.py"""

import argparse
from collections.abc import Iterable
from statistics import mean, stdev

import pandas as pd
import torch
import torch.nn.functional as F
from sklearn.model_selection import train_test_split
from torch import Tensor, nn

import csvision
from csvision.data.source import source_path

EPOCHS, BATCH_SIZE, LR = 10, 32, 0.1


def read_data() -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """The notebook's training images (N, 784) and labels, and those for testing."""
    table = pd.read_csv(source_path("embedded")).to_numpy()
    images = torch.tensor(table[:, 1:] / 255, dtype=torch.float32)
    labels = torch.tensor(table[:, 0])
    train, test = train_test_split(range(len(table)), test_size=0.2, random_state=20)
    return images[train], labels[train], images[test], labels[test]


def build_network(model: str) -> nn.Sequential:
    """The notebook's MLP or CNN, from images (N, 784) to logits (N, 10)."""
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
    """SGD over the rows in each epoch's order; the loss of every step."""
    optimizer = torch.optim.SGD(network.parameters(), lr=LR)
    losses = []
    for order in orders:
        for rows in torch.split(order, BATCH_SIZE):
            loss = F.cross_entropy(network(images[rows]), labels[rows])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
    return losses


def accuracy_by_hand(model: str, seed: int) -> float:
    """The test accuracy that the notebook prints."""
    torch.manual_seed(seed)
    images, labels, test_images, test_labels = read_data()
    network = build_network(model)
    fit(network, images, labels, (torch.randperm(len(images)) for _ in range(EPOCHS)))
    with torch.no_grad():
        return float((network(test_images).argmax(1) == test_labels).float().mean())


def main() -> None:
    """Print both mean test accuracies over the seeds for each model."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=5, help="how many, from 0 (default: 5)")
    seeds = range(parser.parse_args().seeds)
    for model in ("mlp", "cnn"):
        experiment = f"experiment=notebook_{model}"
        ours = [
            csvision.train(experiment, f"seed={seed}", "quiet=true").metrics["test/acc"]
            for seed in seeds
        ]
        by_hand = [accuracy_by_hand(model, seed) for seed in seeds]
        for name, values in ((experiment, ours), ("loop by hand", by_hand)):
            shown = " ".join(f"{value:.4f}" for value in values)
            spread = stdev(values) if len(values) > 1 else 0.0
            print(f"{model}  {name:<24} {mean(values):.4f} +- {spread:.4f}  ({shown})")


if __name__ == "__main__":
    main()

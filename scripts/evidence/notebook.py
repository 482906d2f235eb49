"""The course notebook as a script: train its MLP or its CNN and print the test accuracy.

`python scripts/evidence/notebook.py mlp` uses neither Lightning nor csvision; the benchmarks
compare csvision with it.
"""

import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

import pandas as pd
import torch
import torch.nn.functional as F
from sklearn.model_selection import train_test_split
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset

LR, BATCH_SIZE, EPOCHS = 0.1, 32, 10

CSV = Path(__file__).parents[2] / "src" / "csvision" / "data" / "bundled" / "fmnist_small.csv.gz"


class ImageDataset(Dataset[tuple[Tensor, Tensor]]):
    """Returns one image (784,) with its label at a time, as the notebook's class does."""

    def __init__(self, images: Tensor, labels: Tensor) -> None:
        self.images = images
        self.labels = labels

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        return self.images[index], self.labels[index]


def read_data() -> tuple[Tensor, Tensor]:
    """Return all images (N, 784) with values from 0 to 1, and their labels (N,)."""
    table = pd.read_csv(CSV).to_numpy()
    return torch.tensor(table[:, 1:] / 255, dtype=torch.float32), torch.tensor(table[:, 0])


def split_rows(count: int) -> tuple[Tensor, Tensor]:
    """Return the notebook's rows for training and for testing."""
    train, test = train_test_split(range(count), test_size=0.2, random_state=20)
    return torch.tensor(train), torch.tensor(test)


def build_model(model: str) -> nn.Sequential:
    """Return the notebook's MLP or CNN, from images (N, 784) to logits (N, 10)."""
    if model == "mlp":
        hidden = [nn.Linear(784, 128), nn.ReLU(), nn.Linear(128, 64), nn.ReLU()]
        return nn.Sequential(*hidden, nn.Linear(64, 10))
    first = [nn.Unflatten(1, (1, 28, 28)), nn.Conv2d(1, 32, 3, padding=1), nn.ReLU()]
    second = [nn.MaxPool2d(2, 2), nn.Conv2d(32, 64, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2, 2)]
    dense = [nn.Flatten(), nn.Linear(3136, 64), nn.ReLU(), nn.Linear(64, 10)]
    return nn.Sequential(*first, *second, *dense)


def fit_epoch(
    network: nn.Module, optimizer: torch.optim.Optimizer, batches: Iterable[Sequence[Tensor]]
) -> list[float]:
    """Train for one epoch with the notebook's loop; return the loss of every step."""
    losses = []
    for images, labels in batches:
        loss = F.cross_entropy(network(images), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


@torch.no_grad()
def accuracy(network: nn.Module, images: Tensor, labels: Tensor) -> float:
    """Return the fraction of images that are classified correctly."""
    return float((network(images).argmax(1) == labels).float().mean())


def run(model: str, seed: int = 42, epochs: int = EPOCHS, show: bool = False) -> float:
    """Train as the notebook does; return the test accuracy. With `show`, print each epoch."""
    torch.manual_seed(seed)
    images, labels = read_data()
    train, test = split_rows(len(images))
    dataset = ImageDataset(images[train], labels[train])
    batches = DataLoader(dataset, batch_size=BATCH_SIZE, shuffle=True)
    network = build_model(model)
    optimizer = torch.optim.SGD(network.parameters(), lr=LR)
    for epoch in range(epochs):
        losses = fit_epoch(network, optimizer, batches)
        if show:
            print(f"epoch {epoch + 1}: loss {sum(losses) / len(losses):.4f}")
    return accuracy(network, images[test], labels[test])


if __name__ == "__main__":
    print(f"test accuracy {run(sys.argv[1], show=True):.4f}")

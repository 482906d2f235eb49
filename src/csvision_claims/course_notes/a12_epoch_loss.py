"""A12: the mean of the batch losses is the epoch's loss."""

from statistics import fmean

import torch
from torch import Tensor
from torch.nn import functional as F

from csvision import MLP, read_table
from csvision_claims.engine.charts import Curves, Series
from csvision_claims.engine.claim import Claim, Measurement, Statement
from csvision_claims.engine.jobs import Job
from csvision_claims.engine.rules import Comparison, Exact
from csvision_claims.engine.runner import Runner

ROWS = 4800
EQUAL = (32, 64, 100, 960)
UNEQUAL = (37, 128, 500, 1000)
"""Batch sizes that do not divide 4,800 images evenly."""

BATCH = 32
EPOCHS = 8
LR = 0.1


def load_images() -> tuple[Tensor, Tensor]:
    """Return images (N, 1, 28, 28) from 0 to 1 in float64, and their classes (N,)."""
    table = read_table("bundled")
    assert table.labels is not None
    images = torch.from_numpy(table.images[:ROWS]).double() / 255
    return images, torch.from_numpy(table.labels[:ROWS])


def make_network(seed: int) -> MLP:
    """Return the notes' MLP in float64."""
    torch.manual_seed(seed)
    return MLP((1, 28, 28), 10).double()


def train_epoch(
    network: MLP, images: Tensor, labels: Tensor, generator: torch.Generator
) -> list[float]:
    """Train one epoch of plain SGD in random order and return the losses of its batches."""
    optimizer = torch.optim.SGD(network.parameters(), lr=LR)
    losses = []
    for rows in torch.randperm(len(images), generator=generator).split(BATCH):
        loss = F.cross_entropy(network(images[rows]), labels[rows])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


def compare_means(sizes: list[int], seed: int) -> list[tuple[float, float]]:
    """Return, after one epoch, the mean of the batch losses and the mean over images by size."""
    images, labels = load_images()
    network = make_network(seed)
    train_epoch(network, images, labels, torch.Generator().manual_seed(seed))
    found = []
    with torch.no_grad():
        overall = F.cross_entropy(network(images), labels).item()
        for size in sizes:
            batches = zip(images.split(size), labels.split(size), strict=True)
            losses = [F.cross_entropy(network(part), classes).item() for part, classes in batches]
            found.append((fmean(losses), overall))
    return found


def compare_epochs(seed: int) -> list[tuple[float, float]]:
    """Return the mean of the batch losses, and the loss with the final weights, of each epoch."""
    images, labels = load_images()
    network = make_network(seed)
    generator = torch.Generator().manual_seed(seed)
    found = []
    for _ in range(EPOCHS):
        losses = train_epoch(network, images, labels, generator)
        with torch.no_grad():
            found.append((fmean(losses), F.cross_entropy(network(images), labels).item()))
    return found


def last_batch_size(batch_size: int) -> int:
    """Return the number of images in the last batch."""
    return ROWS % batch_size or batch_size


def draw_curves(epochs: list[tuple[float, float]]) -> Curves:
    """Show both losses over the epochs."""
    running, final = ([float(loss) for loss in column] for column in zip(*epochs, strict=True))
    x = [float(epoch) for epoch in range(1, len(epochs) + 1)]
    return Curves(
        "two losses of the same epoch on the same images",
        "epoch",
        "cross-entropy, nats",
        [
            Series("mean of the batch losses", x, running),
            Series("with the weights at the end of the epoch", x, final),
        ],
        alt=(
            f"In the first epoch the mean of the batch losses is {running[0]:.2f} and the loss at "
            f"its end {final[0]:.2f}; in the last, {running[-1]:.3f} and {final[-1]:.3f}"
        ),
    )


def measure(runner: Runner) -> Measurement:
    """Compare averages over batches and over images, then running losses and final losses."""
    sizes = [*EQUAL, *UNEQUAL]
    means, epochs = runner.run(
        [Job(compare_means, {"sizes": sizes, "seed": 0}), Job(compare_epochs, {"seed": 0})]
    )
    by_size = dict(zip(sizes, means, strict=True))

    def cases(chosen: tuple[int, ...]) -> list[Comparison]:
        return [Comparison(f"batches of {size}", *by_size[size]) for size in chosen]

    gaps = {size: abs(one - other) for size, (one, other) in by_size.items()}
    widest = max(UNEQUAL, key=lambda size: gaps[size])
    larger = sum(running > final for running, final in epochs)
    (running, final), (last_running, last_final) = epochs[0], epochs[-1]
    return Measurement(
        evidence={
            "A12a": cases(EQUAL),
            "A12b": cases(UNEQUAL),
            "A12c": [
                Comparison(f"epoch {index + 1}", *losses) for index, losses in enumerate(epochs)
            ],
        },
        finding=(
            "The mean of the batch losses is exact only for batches of one size, and it is not the "
            f"loss at the end of the epoch. With equal batches both means differ by at most "
            f"{max(gaps[size] for size in EQUAL):.1g}; with batches of {widest}, the last of which "
            f"has {last_batch_size(widest)} images, they differ by {gaps[widest]:.2g}. Because the "
            "weights change during the epoch, the mean of the batch losses of the first epoch is "
            f"{running:.2f}, while the network at its end has {final:.2f}; in epoch "
            f"{len(epochs)} it is {last_running:.3f} against {last_final:.3f}. The mean of the "
            f"batch losses is the larger one in {larger} of {len(epochs)} epochs."
        ),
        table=[
            {
                "batch size": size,
                "last batch": last_batch_size(size),
                "mean over batches": one,
                "mean over images": other,
                "difference": one - other,
            }
            for size, (one, other) in by_size.items()
        ],
        charts=[draw_curves(epochs)],
    )


CLAIM = Claim(
    id="A12",
    title="The mean of the batch losses is the epoch's loss",
    statements=(
        Statement(
            "A12a",
            "The mean of the batch losses is the mean loss over the images if all batches have the "
            "same size",
            Exact(),
        ),
        Statement(
            "A12b",
            "The mean of the batch losses is the mean loss over the images even if the last batch "
            "is smaller",
            Exact(),
        ),
        Statement(
            "A12c",
            "The mean of the batch losses is the loss of the network at the end of the epoch",
            Exact(),
        ),
    ),
    why=(
        "The training curve shows the mean of the batch losses, next to a validation curve for the "
        "weights at the end of the epoch: the gap between both is not what it seems."
    ),
    method=(
        f"The notes' MLP is trained on {ROWS:,} images in float64; after one epoch the mean over "
        "batches is compared with the mean over images, for several batch sizes. In "
        f"{EPOCHS} epochs of SGD with batches of {BATCH}, the mean of the batch losses is then "
        "compared with the loss of the final weights of each epoch on the same images."
    ),
    measure=measure,
)

"""A12: the mean of the batch losses is the epoch's loss."""

from statistics import fmean

import torch
from torch import Tensor
from torch.nn import functional as F

from csvision.claims.bench import Bench
from csvision.claims.charts import Curves, Series
from csvision.claims.claim import Claim, Measurement, Statement
from csvision.claims.jobs import Job
from csvision.claims.rules import Comparison, Exact
from csvision.data.table import read_table
from csvision.models.mlp import MLP

ROWS = 4800
EQUAL = (32, 64, 100, 960)
UNEQUAL = (37, 128, 500, 1000)
"""Batch sizes by which 4,800 images do not divide."""

BATCH = 32
EPOCHS = 8
RATE = 0.1


def rows_and_labels() -> tuple[Tensor, Tensor]:
    """Images (N, 1, 28, 28) from 0 to 1 in float64, and their classes (N,)."""
    table = read_table("embedded")
    assert table.labels is not None
    images = torch.from_numpy(table.images[:ROWS]).double() / 255
    return images, torch.from_numpy(table.labels[:ROWS])


def network_of(seed: int) -> MLP:
    """The notes' MLP in float64."""
    torch.manual_seed(seed)
    return MLP((1, 28, 28), 10).double()


def epoch(network: MLP, images: Tensor, labels: Tensor, generator: torch.Generator) -> list[float]:
    """An epoch of plain SGD in random order; the losses of its batches."""
    optimizer = torch.optim.SGD(network.parameters(), lr=RATE)
    losses = []
    for rows in torch.randperm(len(images), generator=generator).split(BATCH):
        loss = F.cross_entropy(network(images[rows]), labels[rows])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


def means(sizes: list[int], seed: int) -> list[tuple[float, float]]:
    """After one epoch, for each batch size: the mean of the batches' losses, and of the images'."""
    images, labels = rows_and_labels()
    network = network_of(seed)
    epoch(network, images, labels, torch.Generator().manual_seed(seed))
    found = []
    with torch.no_grad():
        overall = F.cross_entropy(network(images), labels).item()
        for size in sizes:
            parts = zip(images.split(size), labels.split(size), strict=True)
            losses = [F.cross_entropy(network(part), classes).item() for part, classes in parts]
            found.append((fmean(losses), overall))
    return found


def training(seed: int) -> list[tuple[float, float]]:
    """For each epoch the mean of its batch losses, and the loss with its final weights."""
    images, labels = rows_and_labels()
    network = network_of(seed)
    generator = torch.Generator().manual_seed(seed)
    found = []
    for _ in range(EPOCHS):
        losses = epoch(network, images, labels, generator)
        with torch.no_grad():
            found.append((fmean(losses), F.cross_entropy(network(images), labels).item()))
    return found


def last_batch(batch: int) -> int:
    """How many images the last batch has."""
    return ROWS % batch or batch


def curves(epochs: list[tuple[float, float]]) -> Curves:
    """Both losses over the epochs."""
    running, final = ([float(loss) for loss in column] for column in zip(*epochs, strict=True))
    x = [float(epoch) for epoch in range(1, len(epochs) + 1)]
    return Curves(
        "two losses of the same epoch on the same images",
        "epoch",
        "cross-entropy, nats",
        [
            Series("mean of the batch losses", x, running),
            Series("with the weights at the epoch's end", x, final),
        ],
        alt=(
            f"In the first epoch the mean of the batch losses is {running[0]:.2f} and the loss at "
            f"its end {final[0]:.2f}; in the last, {running[-1]:.3f} and {final[-1]:.3f}"
        ),
    )


def measure(bench: Bench) -> Measurement:
    """Average by batch and by image, then train and compare with the epoch's end."""
    sizes = [*EQUAL, *UNEQUAL]
    found, epochs = bench.run([Job(means, {"sizes": sizes, "seed": 0}), Job(training, {"seed": 0})])
    by_batch = dict(zip(sizes, found, strict=True))

    def cases(chosen: tuple[int, ...]) -> list[Comparison]:
        return [Comparison(f"batches of {size}", *by_batch[size]) for size in chosen]

    gaps = {size: abs(one - other) for size, (one, other) in by_batch.items()}
    widest = max(UNEQUAL, key=lambda size: gaps[size])
    larger = sum(mean > end for mean, end in epochs)
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
            f"With equal batches the means differ by at most {max(gaps[s] for s in EQUAL):.1g}. "
            f"With batches of {widest}, the last of which has {last_batch(widest)}, they are "
            f"{gaps[widest]:.2g} apart. The weights change within the epoch: the mean of the "
            f"first epoch's batch losses is {running:.2f} where the network that comes out of it "
            f"has {final:.2f}, and {last_running:.3f} against {last_final:.3f} in epoch "
            f"{len(epochs)}. The mean of the batch losses is the larger in {larger} of them."
        ),
        table=[
            {
                "batch": size,
                "last batch": last_batch(size),
                "mean over batches": one,
                "mean over images": other,
                "difference": one - other,
            }
            for size, (one, other) in by_batch.items()
        ],
        charts=[curves(epochs)],
    )


CLAIM = Claim(
    id="A12",
    title="The mean of the batch losses is the epoch's loss",
    statements=(
        Statement(
            "A12a",
            "The mean of the batch losses is the mean loss over the images, if all batches are "
            "of one size",
            Exact(),
        ),
        Statement("A12b", "It is so with a smaller last batch, too", Exact()),
        Statement("A12c", "It is the loss of the network at the epoch's end", Exact()),
    ),
    why=(
        "The training curve is drawn from it and read beside a validation curve, which is of the "
        "weights at the epoch's end: the gap between the two is not what it seems."
    ),
    method=(
        f"The notes' MLP on {ROWS:,} images in float64: after an epoch the mean over batches "
        f"against the mean over images, for several batch sizes. Then {EPOCHS} epochs of SGD in "
        f"batches of {BATCH}, each epoch's mean of the batch losses against the loss of its final "
        "weights on the same images."
    ),
    measure=measure,
)

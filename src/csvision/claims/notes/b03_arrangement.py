"""B3: an MLP loses the spatial arrangement of the image."""

from typing import Any

import numpy as np
import torch

from csvision.arrangement import Arrangement
from csvision.claims.arms import Arm, settings_of
from csvision.claims.bench import Bench
from csvision.claims.charts import Panel, Panels
from csvision.claims.claim import Claim, Measurement, Statement
from csvision.claims.jobs import Job
from csvision.claims.paired import differences, score_table
from csvision.claims.rules import Comparison, Difference, Exact
from csvision.claims.training import Scores
from csvision.data.table import read_table
from csvision.models.mlp import MLP

PERMUTED = "data.permutation_seed=0"

PLAIN = (
    Arm("MLP", ("model=mlp", "epochs=10")),
    Arm("CNN", ("model=cnn", "model.stages=[{filters:16},{filters:32}]", "epochs=10")),
)


def logits_of_both(seed: int) -> tuple[list[float], list[float]]:
    """The logits of 20 images, in an MLP and in one that saw all images permuted.

    The second MLP has the columns of its first weights permuted as the pixels are; both are
    trained alike, for 50 steps of plain SGD in float64.
    """
    table = read_table("embedded")
    generator = torch.Generator().manual_seed(seed)
    images = torch.from_numpy(table.images[:1600]).double().reshape(1600, -1) / 255
    labels = torch.from_numpy(table.labels)[:1600]
    order = torch.randperm(784, generator=generator)
    torch.manual_seed(seed)
    first, second = (MLP((1, 28, 28), 10).double() for _ in range(2))
    second.load_state_dict(first.state_dict())
    weight = "dense.0.linear.weight"
    with torch.no_grad():
        second.get_parameter(weight).copy_(first.get_parameter(weight)[:, order])
    trained = [
        (fit(network, inputs, labels), inputs)
        for network, inputs in ((first, images), (second, images[:, order]))
    ]
    with torch.no_grad():
        one, two = (network(inputs[:20]).flatten().tolist() for network, inputs in trained)
    return one, two


def fit(network: MLP, images: torch.Tensor, labels: torch.Tensor) -> MLP:
    """Fifty steps of SGD."""
    optimizer = torch.optim.SGD(network.parameters(), lr=0.1)
    for step in range(50):
        rows = slice(32 * step, 32 * (step + 1))
        loss = torch.nn.functional.cross_entropy(network(images[rows]), labels[rows])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return network


def garments() -> dict[str, Any]:
    """An image of four classes as it is and with its pixels in the other order."""
    table = read_table("embedded")
    rows = [int(np.flatnonzero(table.labels == label)[0]) for label in (9, 1, 3, 8)]
    images = torch.from_numpy(table.images[rows])
    arm = settings_of(Arm("permuted", (PERMUTED,)))
    arrangement = Arrangement(arm.data, (1, 28, 28))
    shown = {"plain": images, "permuted": arrangement(images)}
    return {name: shown_images[:, 0].tolist() for name, shown_images in shown.items()}


def drops(plain: list[Scores], moved: list[Scores]) -> list[float]:
    """What the permutation costs, in points of accuracy, seed by seed."""
    return differences(plain, moved, "test/acc")


def measure(bench: Bench) -> Measurement:
    """Train both networks on images as they are and rearranged."""
    moved = [Arm(f"{arm.name}, permuted", (*arm.overrides, PERMUTED)) for arm in PLAIN]
    arms = bench.tuned([*PLAIN, *moved])
    runs = bench.train(arms)
    dropped = {arm.name: drops(runs[arm.name], runs[f"{arm.name}, permuted"]) for arm in PLAIN}
    differences = [c - m for c, m in zip(dropped["CNN"], dropped["MLP"], strict=True)]
    (logits,) = bench.run([Job(logits_of_both, {"seed": 0})])
    (images,) = bench.run([Job(garments, {})])
    furthest = float(np.abs(np.subtract(*logits)).max())
    means = {name: float(np.mean(values)) for name, values in dropped.items()}
    return Measurement(
        evidence={
            "B3a": [
                Comparison(f"logit {index % 10} of image {index // 10}", one, two)
                for index, (one, two) in enumerate(zip(*logits, strict=True))
                if index % 10 == index // 10 % 10
            ],
            "B3b": differences,
        },
        finding=(
            f"One fixed order of the pixels costs the CNN {means['CNN']:.1f} points and the MLP "
            f"{means['MLP']:.1f}. An MLP whose first weights are put into the same order has "
            f"the same logits to {furthest:.0e} after 50 steps."
        ),
        table=score_table(arms, runs, {"test/acc": "test accuracy"}),
        charts=[
            Panels(
                "the same four garments, as they are and in the fixed order",
                [
                    Panel(name if index == 0 else "", image, 0, 255)
                    for name, group in images.items()
                    for index, image in enumerate(group)
                ],
                alt="Four garments, and the same images with their pixels in another order: noise",
                columns=4,
            )
        ],
        arms=bench.complete(arms),
    )


CLAIM = Claim(
    id="B3",
    title="An MLP loses the spatial arrangement",
    statements=(
        Statement(
            "B3a",
            "For an MLP the order of the pixels is the same as any other: with its first weights "
            "reordered alike it learns the same function",
            Exact(),
        ),
        Statement(
            "B3b",
            "A CNN lives off the arrangement that an MLP does not use: one fixed permutation of "
            "the pixels costs the CNN over a point of accuracy more",
            Difference(1.0, "points"),
        ),
    ),
    why="It is the notes' reason for convolutions: neighbouring pixels belong together.",
    method=(
        "One fixed permutation of the pixels, the same for training and test images, against the "
        "images as they are; each arm has its own best learning rate. An MLP is also "
        "trained twice in float64, the second time with pixels and first weights permuted."
    ),
    measure=measure,
    minutes=15,
)

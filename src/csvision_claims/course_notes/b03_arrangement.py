"""B3: an MLP loses the spatial arrangement of the image."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch

from csvision import MLP, PadAndPermute, read_table
from csvision_claims.engine.arms import Arm, load_arm_config
from csvision_claims.engine.charts import Panel, Panels
from csvision_claims.engine.claim import (
    PREPARE_FASHION_MNIST,
    Claim,
    Measurement,
    Statement,
    conclude,
)
from csvision_claims.engine.jobs import Job
from csvision_claims.engine.paired import accuracy_table, column_by_arm, paired_differences
from csvision_claims.engine.rules import Comparison, Difference, Exact
from csvision_claims.engine.runner import Runner

PERMUTED = "data.permutation_seed=0"

PLAIN = (
    Arm("MLP", ("model=mlp", "epochs=10")),
    Arm("CNN", ("model=cnn", "model.stages=[{filters:16},{filters:32}]", "epochs=10")),
)

STEPS = 50


def compare_logits(seed: int) -> tuple[list[float], list[float]]:
    """Return the logits of 20 images in an MLP, and in one trained on permuted images.

    The columns of the second MLP's first weights are permuted as the pixels are. Both are
    trained in the same way, with plain SGD in float64.
    """
    table = read_table("bundled")
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
    """Train for STEPS steps of SGD."""
    optimizer = torch.optim.SGD(network.parameters(), lr=0.1)
    for step in range(STEPS):
        rows = slice(32 * step, 32 * (step + 1))
        loss = torch.nn.functional.cross_entropy(network(images[rows]), labels[rows])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return network


def permuted_pictures() -> dict[str, Any]:
    """Return an image of four classes, original and with permuted pixels."""
    table = read_table("bundled")
    rows = [int(np.flatnonzero(table.labels == label)[0]) for label in (9, 1, 3, 8)]
    images = torch.from_numpy(table.images[rows])
    config = load_arm_config(Arm("permuted", (PERMUTED,)))
    permute = PadAndPermute(config.data, (1, 28, 28))
    pictures = {"original": images, "permuted": permute(images)}
    return {name: group[:, 0].tolist() for name, group in pictures.items()}


def draw_panels(pictures: dict[str, Any]) -> Panels:
    """Show the images in two rows."""
    return Panels(
        "four garments, original and with one fixed permutation of the pixels",
        [
            Panel(name if index == 0 else "", image, 0, 255)
            for name, group in pictures.items()
            for index, image in enumerate(group)
        ],
        alt="4 garments, and the same 4 images with permuted pixels, which look like noise",
        columns=4,
    )


def measure(runner: Runner) -> Measurement:
    """Train both networks on original and on permuted images."""
    permuted = [Arm(f"{arm.name}, permuted", (*arm.overrides, PERMUTED)) for arm in PLAIN]
    arms = runner.tune_lr([*PLAIN, *permuted])
    runs = runner.train(arms)
    drops = {
        arm.name: paired_differences(runs[arm.name], runs[f"{arm.name}, permuted"], "test/acc")
        for arm in PLAIN
    }
    (logits,) = runner.run([Job(compare_logits, {"seed": 0})])
    (pictures,) = runner.run([Job(permuted_pictures, {})])
    table = accuracy_table(arms, runs, {"test/acc": "test accuracy"})
    return Measurement(
        evidence={
            "B3a": [
                Comparison(f"logit {index % 10} of image {index // 10}", one, two)
                for index, (one, two) in enumerate(zip(*logits, strict=True))
                # One logit of each image, a different class for each.
                if index % 10 == index // 10 % 10
            ],
            "B3b": [cnn - mlp for cnn, mlp in zip(drops["CNN"], drops["MLP"], strict=True)],
        },
        finding=describe(table, float(np.abs(np.subtract(*logits)).max())),
        table=table,
        charts=[draw_panels(pictures)],
        arms=runner.with_data(arms),
    )


def describe(table: Sequence[Mapping[str, str | float]], difference: float) -> str:
    """Return the finding; `difference` is the largest one between the logits of both MLPs."""
    accuracy = column_by_arm(table, "test accuracy, %")
    drops = {name: accuracy[name] - accuracy[f"{name}, permuted"] for name in ("CNN", "MLP")}
    message = conclude(
        "An MLP does not use the arrangement of the pixels; a CNN does.",
        supported=drops["CNN"] > drops["MLP"] + 1,
    )
    return (
        f"{message} One fixed permutation of the pixels costs the CNN {drops['CNN']:.1f} points of "
        f"accuracy and the MLP {drops['MLP']:.1f}. An MLP whose first weights are permuted as the "
        f"pixels are has the same logits after {STEPS} steps, to {difference:.0e}."
    )


CLAIM = Claim(
    id="B3",
    title="An MLP loses the spatial arrangement",
    statements=(
        Statement(
            "B3a",
            "An MLP learns the same function from permuted pixels if the columns of its first "
            "weights are permuted in the same way",
            Exact(),
        ),
        Statement(
            "B3b",
            "One fixed permutation of the pixels costs a CNN more than 1 point more accuracy than "
            "an MLP",
            Difference(1.0, "points"),
        ),
    ),
    why="It is the notes' reason for convolutions: neighboring pixels belong together.",
    method=(
        "Arms with one fixed permutation of the pixels, the same for training and test images, are "
        "compared with arms on the original images; each arm has its own learning rate. An MLP is "
        "also trained twice in float64, the second time with permuted pixels and first weights."
    ),
    measure=measure,
    setup=(PREPARE_FASHION_MNIST,),
)

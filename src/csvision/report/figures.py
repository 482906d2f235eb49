"""Pictures of what a classifier gets right and wrong."""

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from csvision.run.results import Evaluation

SHEET_COLUMNS = 8


def confusion_figure(confusion: NDArray[np.int64], classes: Sequence[str]) -> Figure:
    """Counts (K, K), a row for each true class; the shade is the share of the row."""
    shares = confusion / confusion.sum(axis=1, keepdims=True).clip(min=1)
    side = 2.5 + 0.5 * len(classes)
    figure = Figure(figsize=(side, side), layout="constrained")
    axes = figure.subplots()
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    ticks = range(len(classes))
    axes.set_xticks(ticks, [plain_text(name) for name in classes], rotation=90)
    axes.set_yticks(ticks, [plain_text(name) for name in classes])
    axes.set_xlabel("predicted class")
    axes.set_ylabel("true class")
    for row, column in np.ndindex(*confusion.shape):
        shade = "white" if shares[row, column] > 0.5 else "black"
        axes.text(column, row, str(confusion[row, column]), ha="center", va="center", color=shade)
    return figure


def prediction_sheet(evaluation: Evaluation, count: int = 32) -> Figure:
    """The first test images with prediction and probability; what is wrong stands out in red."""
    part = evaluation.part.first(count)
    rows = -(-len(part) // SHEET_COLUMNS)
    figure = Figure(figsize=(1.5 * SHEET_COLUMNS, 1.8 * rows), layout="constrained")
    grid = figure.subplots(rows, SHEET_COLUMNS, squeeze=False)
    for axes in grid.flat:
        axes.axis("off")
    classes = part.table.classes
    for index, (axes, row) in enumerate(zip(grid.flat, part.rows, strict=False)):
        prediction = int(evaluation.predictions[index])
        label = int(part.labels[index])
        title = f"{classes[prediction]} {evaluation.probabilities[index, prediction]:.0%}"
        if prediction != label:
            title += f"\nnot {classes[label]}"
        axes.imshow(displayed(part.table.images[row]), cmap="gray", vmin=0, vmax=255)
        color = "black" if prediction == label else "firebrick"
        axes.set_title(plain_text(title), fontsize=9, color=color)
    return figure


def displayed(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """(C, H, W) -> (H, W, 3) for three channels, else the first channel (H, W)."""
    return image.transpose(1, 2, 0) if len(image) == 3 else image[0]


def plain_text(text: str) -> str:
    """Text in which matplotlib finds no formula."""
    return text.replace("$", r"\$")

"""Plot a confusion matrix, predictions, and samples of a data set.

The settings of the user for matplotlib are not used: with text.usetex, plots would need LaTeX.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib import style
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from csvision.data.splits import Subset
from csvision.evaluation import EvalResult

PREDICTION_COLUMNS = 8
SAMPLES_PER_CLASS = 10
GAP = 2
"""Pixels between two samples."""

CONFUSION_MATRIX = "confusion_matrix.png"

MAX_CLASSES = 30
"""The number of classes up to which figures name each class."""


def save_confusion_matrix(result: EvalResult, folder: Path) -> None:
    """Write the figure of the confusion matrix."""
    figure = plot_confusion_matrix(result.confusion_matrix, result.subset.table.classes)
    figure.savefig(folder / CONFUSION_MATRIX, dpi=100)


@style.context("default")
def plot_confusion_matrix(counts: NDArray[np.int64], classes: Sequence[str]) -> Figure:
    """Plot counts (K, K), one row per true class; the color is the fraction of the row."""
    fractions = counts / counts.sum(axis=1, keepdims=True).clip(min=1)
    side = 2.5 + 0.5 * min(len(classes), MAX_CLASSES)
    figure = Figure(figsize=(side, side), layout="constrained")
    axes = figure.subplots()
    axes.imshow(fractions, cmap="Blues", vmin=0, vmax=1)
    axes.set_xlabel("predicted class")
    axes.set_ylabel("true class")
    if len(classes) > MAX_CLASSES:
        # Names and numbers would be too small to read; confusion_matrix.csv has them.
        return figure
    ticks = range(len(classes))
    axes.set_xticks(ticks, [escape_mathtext(name) for name in classes], rotation=90)
    axes.set_yticks(ticks, [escape_mathtext(name) for name in classes])
    for row, column in np.ndindex(*counts.shape):
        color = "white" if fractions[row, column] > 0.5 else "black"
        axes.text(column, row, str(counts[row, column]), ha="center", va="center", color=color)
    return figure


@style.context("default")
def plot_range_test(
    lrs: Sequence[float],
    losses: Sequence[float],
    smoothed: Sequence[float],
    suggestion: float | None,
) -> Figure:
    """Plot the loss of each step over the learning rate, and mark the suggested rate."""
    figure = Figure(figsize=(7, 4.5), layout="constrained")
    axes = figure.subplots()
    axes.plot(lrs, losses, color="lightgray", label="loss of the batch")
    axes.plot(lrs, smoothed, color="tab:blue", label="smoothed loss")
    if suggestion is not None:
        label = f"suggestion: {suggestion:.2g}"
        axes.axvline(suggestion, color="firebrick", linestyle="--", label=label)
    axes.set_xscale("log")
    # The last loss may be very large.
    low, high = min(filter(np.isfinite, losses), default=0.0), losses[0]
    if low < high:
        axes.set_ylim(low - 0.05 * (high - low), high + 0.5 * (high - low))
    axes.set_xlabel("learning rate")
    axes.set_ylabel("training loss")
    axes.legend()
    return figure


@style.context("default")
def plot_predictions(result: EvalResult, count: int = 32) -> Figure:
    """Plot the first test images with prediction and probability; wrong ones have a red title."""
    subset = result.subset.head(count)
    _, height, width = subset.table.image_shape
    grid = -(-len(subset) // PREDICTION_COLUMNS), PREDICTION_COLUMNS
    # Two lines of text fit above each image.
    side = max(height, width)
    cell = side + side // 2, side + side // 4
    corners = [
        (row * cell[0] + cell[0] - height, column * cell[1] + (cell[1] - width) // 2)
        for row, column in np.ndindex(grid)
    ]
    figure = Figure(figsize=(1.5 * grid[1], 1.8 * grid[0]))
    axes = figure.add_axes((0, 0, 1, 1))
    images = subset.table.images[subset.indices]
    show_sheet(axes, paste_images(images, corners, (grid[0] * cell[0], grid[1] * cell[1])))
    axes.axis("off")
    classes = subset.table.classes
    for index, (top, left) in enumerate(corners[: len(subset)]):
        prediction = int(result.predictions[index])
        label = int(subset.labels[index])
        title = classes[prediction]
        # NaN stands for an estimator without probabilities.
        if np.isfinite(probability := result.probabilities[index, prediction]):
            title += f" {probability:.0%}"
        if prediction != label:
            title += f"\nnot {classes[label]}"
        axes.text(
            left + width / 2,
            top - side / 20,
            escape_mathtext(title),
            fontsize=9,
            color="black" if prediction == label else "firebrick",
            ha="center",
            va="bottom",
        )
    return figure


@style.context("default")
def plot_samples(subset: Subset) -> Figure:
    """Plot the first images of each class, one row per class."""
    classes = subset.table.classes[:MAX_CLASSES]
    _, height, width = subset.table.image_shape
    rows, corners = [], []
    for label in range(len(classes)):
        samples = subset.indices[subset.labels == label][:SAMPLES_PER_CLASS]
        rows += samples.tolist()
        corners += [
            (label * (height + GAP), column * (width + GAP)) for column in range(len(samples))
        ]
    size = len(classes) * (height + GAP), SAMPLES_PER_CLASS * (width + GAP)
    figure = Figure(figsize=(8, 0.7 * len(classes) + 0.5), layout="constrained")
    axes = figure.subplots()
    show_sheet(axes, paste_images(subset.table.images[rows], corners, size))
    centers = np.arange(len(classes)) * (height + GAP) + height / 2
    axes.set_yticks(centers, [escape_mathtext(name) for name in classes])
    axes.set_xticks([])
    axes.set_frame_on(False)
    return figure


def paste_images(
    images: NDArray[np.uint8], corners: Sequence[tuple[int, int]], size: tuple[int, int]
) -> NDArray[np.uint8]:
    """Return a white sheet (C, *size) with images (N, C, H, W) at their top left corners.

    One sheet is drawn many times faster than a pair of axes for each image.
    """
    _, channels, height, width = images.shape
    sheet = np.full((channels, *size), 255, np.uint8)
    for image, (top, left) in zip(images, corners, strict=False):
        sheet[:, top : top + height, left : left + width] = image
    return sheet


def show_sheet(axes: Axes, sheet: NDArray[np.uint8]) -> None:
    """Show an image (C, H, W) with its pixels as squares."""
    axes.imshow(to_hwc(sheet), cmap="gray", vmin=0, vmax=255, interpolation="nearest")


def to_hwc(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Convert (C, H, W) to (H, W, 3) for three channels, else to the first channel (H, W)."""
    return image.transpose(1, 2, 0) if len(image) == 3 else image[0]


def escape_mathtext(text: str) -> str:
    """Escape text so that matplotlib does not read it as a formula."""
    return text.replace("$", r"\$")

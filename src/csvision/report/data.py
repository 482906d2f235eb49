"""What is in a file of images: counts by class, what is remarkable, a picture of each class."""

from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from csvision import schema
from csvision.data.findings import findings
from csvision.data.split import Part, Parts, read_parts
from csvision.report.figures import displayed, plain_text
from csvision.run.directory import new_folder
from csvision.stamp import stamp

SAMPLES = 10
MOST_CLASSES = 30
GAP = 2


def inspect_data(settings: schema.InspectData) -> Path:
    """Print the report on a data set and draw its samples; the picture's file."""
    parts = read_parts(settings.data)
    print(describe_data(parts))
    source = Path(settings.data.csv).name.split(".")[0]
    path = new_folder(Path(settings.outputs) / "inspections") / f"{source}_{stamp()}.png"
    sample_sheet(parts.train).savefig(path, dpi=100)
    print(path)
    return path


def describe_data(parts: Parts) -> str:
    """Shape, rows of each class in each part, and findings."""
    table = parts.train.table
    scale = "0 to 1, kept as 256 shades" if table.unit_pixels else "0 to 255"
    named = {"train": parts.train, "val": parts.val, "test": parts.test}
    rows = pd.DataFrame({"label": table.label_values, "class": table.classes})
    for name, part in named.items():
        rows[name] = np.bincount(part.labels, minlength=len(table.classes))
    shape = "x".join(map(str, table.image_shape))
    lines = [
        f"images of {shape} (channels x height x width), pixels from {scale}",
        rows.to_string(index=False),
        "  ".join(f"{name} {len(part)}" for name, part in named.items()),
        *(findings(parts) or ["nothing remarkable"]),
    ]
    return "\n".join(lines)


def sample_sheet(part: Part) -> Figure:
    """The first images of each class, a row a class."""
    classes = part.table.classes[:MOST_CLASSES]
    channels, height, width = part.table.image_shape
    sheet = np.full(
        (channels, len(classes) * (height + GAP), SAMPLES * (width + GAP)), 255, np.uint8
    )
    for index in range(len(classes)):
        for place, row in enumerate(part.rows[part.labels == index][:SAMPLES]):
            top, left = index * (height + GAP), place * (width + GAP)
            sheet[:, top : top + height, left : left + width] = part.table.images[row]
    figure = Figure(figsize=(8, 0.7 * len(classes) + 0.5), layout="constrained")
    axes = figure.subplots()
    axes.imshow(displayed(sheet), cmap="gray", vmin=0, vmax=255, interpolation="nearest")
    middles = np.arange(len(classes)) * (height + GAP) + height / 2
    axes.set_yticks(middles, [plain_text(name) for name in classes])
    axes.set_xticks([])
    axes.set_frame_on(False)
    return figure

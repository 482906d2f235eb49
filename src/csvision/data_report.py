"""Report on a data set: counts per class, warnings, and samples of each class."""

from pathlib import Path

import numpy as np
import pandas as pd

from csvision.config import command_schema
from csvision.data.pixel_range import BYTES
from csvision.data.quality import data_warnings
from csvision.data.splits import Splits, load_splits
from csvision.files import make_dir, result_name
from csvision.plots import plot_samples


def report_data(config: command_schema.InspectDataConfig) -> tuple[str, Path]:
    """Return the report on a data set and the path of the figure of its samples."""
    splits = load_splits(config.data)
    folder = make_dir(Path(config.output_dir) / "inspections")
    path = folder / result_name(config.data.csv, ".png")
    plot_samples(splits.train).savefig(path, dpi=100)
    return describe_data(splits), path


def describe_data(splits: Splits) -> str:
    """Describe image shape, pixel range, rows per class and split, and warnings."""
    table = splits.train.table
    black, white = table.pixel_range
    steps = "" if table.pixel_range == BYTES else ", stored in 256 steps"
    named = {"train": splits.train, "val": splits.val, "test": splits.test}
    counts = pd.DataFrame({"label": table.label_values, "class": table.classes})
    for name, subset in named.items():
        counts[name] = np.bincount(subset.labels, minlength=len(table.classes))
    shape = "x".join(map(str, table.image_shape))
    lines = [
        f"images {shape} (channels x height x width), pixels from {black:g} to {white:g}{steps}",
        counts.to_string(index=False),
        "  ".join(f"{name} {len(subset)}" for name, subset in named.items()),
        *(data_warnings(splits) or ["no warnings"]),
    ]
    return "\n".join(lines)

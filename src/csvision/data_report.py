"""Report on a data set: counts per class, warnings, and samples of each class."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from csvision.command_hints import command_line
from csvision.config import command_schema, schema
from csvision.config.quoting import format_value
from csvision.data.data_warnings import data_warnings
from csvision.data.pixel_range import BYTES
from csvision.data.splits import Splits, load_splits
from csvision.data.table import ImageTable
from csvision.files import make_dir, result_name
from csvision.plots import plot_samples

DEFAULTS: dict[str, Any] = {
    "test_csv": None,
    "labels_csv": None,
    "label_column": None,
    "header": "auto",
    "ignore": [],
    "pixel_range": "auto",
    "image_shape": None,
    "layout": schema.Layout.channels_first,
    "transpose": False,
    "classes": None,
}
"""The keys that say how a file is read, with their defaults in conf/data/csv.yaml."""


def report_data(config: command_schema.InspectDataConfig) -> tuple[str, Path]:
    """Return the report on a data set and the path of the figure of its samples."""
    splits = load_splits(config.data)
    folder = make_dir(Path(config.output_dir) / "inspections")
    path = folder / result_name(config.data.csv, ".png")
    plot_samples(splits.train).savefig(path, dpi=100)
    description = describe_data(splits, is_folder=Path(config.data.csv).is_dir())
    report = f"{description}\nto train: {train_command(config.data)}"
    return report, path


def describe_data(splits: Splits, is_folder: bool = False) -> str:
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
        *(f"read: {notice}" for part in splits.tables for notice in part.notices),
        *(data_warnings(splits) or ["no warnings"]),
        *describe_reading(table, is_folder),
    ]
    return "\n".join(lines)


def describe_reading(table: ImageTable, is_folder: bool) -> list[str]:
    """Say what the label is, and how to correct the orientation of images in a table."""
    if is_folder:
        return [] if table.label_column is None else ["label: the name of the folder of the image"]
    label = [] if table.label_column is None else [f"label column: {table.label_column}"]
    hint = "if the sample images are on their side, set data.transpose=true"
    return [*label, hint]


def train_command(data: schema.DataConfig) -> str:
    """Return the command that trains on a data set, with the keys that it needs."""
    keys = ["csv", *(name for name in DEFAULTS if getattr(data, name) != DEFAULTS[name])]
    overrides = [f"data.{name}={format_value(getattr(data, name))}" for name in keys]
    return command_line("train", f"data={data.name.value}", *overrides)

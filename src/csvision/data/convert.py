"""Write a table in the canonical form: label, then pixel0, pixel1, ... from 0 to 255."""

from pathlib import Path

import numpy as np
import polars

from csvision.data.table import ImageTable
from csvision.errors import ConfigError
from csvision.files import replace_file

SUFFIXES = (".csv", ".parquet")


def write_table(table: ImageTable, path: Path) -> None:
    """Write a table as CSV or Parquet, with the columns id and split if it has them.

    The pixels of color images are channels first. Raises ConfigError if it cannot be written.
    """
    if path.suffix.lower() not in SUFFIXES:
        raise ConfigError(f"out={path}: the name must end with {' or '.join(SUFFIXES)}")
    frame = to_frame(table)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with replace_file(path) as file:
            if path.suffix.lower() == ".parquet":
                frame.write_parquet(file)
            else:
                frame.write_csv(file)
    except OSError as error:
        raise ConfigError(f"out={path}: cannot be written ({error}); choose another") from error


def to_frame(table: ImageTable) -> polars.DataFrame:
    """Return a table as a data frame with the labels of the file and one column per pixel."""
    columns: dict[str, polars.Series] = {}
    if table.ids is not None:
        columns["id"] = polars.Series(table.ids)
    if table.labels is not None:
        columns["label"] = polars.Series([table.label_values[label] for label in table.labels])
    if table.split is not None:
        columns["split"] = polars.Series(table.split)
    pixels = np.ascontiguousarray(table.images.reshape(len(table.images), -1).T)
    columns |= {f"pixel{index}": polars.Series(values) for index, values in enumerate(pixels)}
    return polars.DataFrame(columns)


def reading_overrides(table: ImageTable) -> list[str]:
    """Return the overrides with which a converted table is read as it was written."""
    channels, height, width = table.image_shape
    overrides = (
        []
        if channels == 1 and height == width > 1
        else [f"data.image_shape=[{channels},{height},{width}]"]
    )
    # Dark images, or only black and white ones, look like images of another range.
    if table.images.max(initial=0) <= 16:
        overrides.append("data.pixel_range=255")
    return overrides

"""How a data file is read."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf

from csvision.config.pixel_range import AUTO
from csvision.config.schema import DataConfig


@dataclass(frozen=True)
class ReadOptions:
    """How a data file is read.

    `label_column` is the name of the label column (its number, counted from 0, without a header;
    default: found by names and values). `header` is "auto", True or False. The columns named
    in `ignore` are left out. `pixel_range` is "auto", the value of white, or the values of black
    and white. `image_shape` (C, H, W) defaults to square grayscale, `layout` is "channels_first" or
    "channels_last"; with `transpose`, images are stored column by column. `labels_csv` is a file
    with the labels. `cache` is a folder, "none", or None for the cache folder of the user.
    `max_decompressed_gib` limits compressed files. `allow_missing_labels` accepts a file without
    labels. Without `check_labels`, some rows may have no label, or one of another type. With
    `natural_order`, the images of a folder are in the order of the numbers in their names, not of
    the characters.
    """

    label_column: str | None = None
    header: str | bool = AUTO
    ignore: Sequence[str] = ()
    pixel_range: str | float | Sequence[float] = AUTO
    image_shape: Sequence[int] | None = None
    layout: str = "channels_first"
    transpose: bool = False
    labels_csv: str | None = None
    cache: str | None = None
    max_decompressed_gib: float = inf
    allow_missing_labels: bool = False
    check_labels: bool = True
    natural_order: bool = False

    @classmethod
    def from_config(cls, data: DataConfig, allow_missing_labels: bool = False) -> "ReadOptions":
        """Return the options given by a configuration."""
        return cls(
            label_column=data.label_column,
            header=data.header,
            ignore=tuple(data.ignore),
            pixel_range=data.pixel_range,
            image_shape=data.image_shape,
            layout=data.layout,
            transpose=data.transpose,
            labels_csv=data.labels_csv,
            cache=data.cache,
            max_decompressed_gib=data.max_decompressed_gib,
            allow_missing_labels=allow_missing_labels,
        )

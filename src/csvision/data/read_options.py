"""How a data file is read."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf

from csvision.config.schema import DataConfig


@dataclass(frozen=True)
class ReadOptions:
    """How a data file is read.

    `label_column` defaults to the first column, `image_shape` (C, H, W) to square grayscale.
    `layout` is "channels_first" or "channels_last". `cache` is a folder, "none", or None for the
    cache folder of the user. `max_decompressed_gib` limits compressed files. `allow_missing_labels`
    accepts a file that contains only pixels.
    """

    label_column: str | None = None
    image_shape: Sequence[int] | None = None
    layout: str = "channels_first"
    cache: str | None = None
    max_decompressed_gib: float = inf
    allow_missing_labels: bool = False

    @classmethod
    def from_config(cls, data: DataConfig, allow_missing_labels: bool = False) -> "ReadOptions":
        """Return the options given by a configuration."""
        return cls(
            label_column=data.label_column,
            image_shape=data.image_shape,
            layout=data.layout,
            cache=data.cache,
            max_decompressed_gib=data.max_decompressed_gib,
            allow_missing_labels=allow_missing_labels,
        )

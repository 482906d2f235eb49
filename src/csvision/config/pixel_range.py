"""The values of black and white in a file, as they are configured."""

from collections.abc import Sequence
from typing import Any

from csvision.config.value_types import shorten_value
from csvision.errors import ConfigError

PixelRange = tuple[float, float]
"""The values of black and white in a file."""

AUTO = "auto"

MAX = 1e30


def parse_pixel_range(value: Any) -> PixelRange | None:
    """Return the values of black and white for a configured range; None for auto.

    Raises ConfigError if it is not auto, a number above 0, or two increasing numbers.
    """
    if value == AUTO:
        return None
    is_list = isinstance(value, Sequence) and not isinstance(value, str)
    parts = list(value) if is_list else [0, value]
    if len(parts) == 2 and all(map(is_finite_number, parts)) and parts[0] < parts[1]:
        return float(parts[0]), float(parts[1])
    raise ConfigError(
        f"data.pixel_range={shorten_value(value)} must be auto, a number above 0, or "
        "[black,white] with black < white"
    )


def is_finite_number(value: Any) -> bool:
    """Return whether a value is a number and neither huge nor NaN; a bool is no number."""
    return isinstance(value, int | float) and not isinstance(value, bool) and -MAX < value < MAX

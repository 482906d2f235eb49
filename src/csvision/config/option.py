"""Declare a key of the configuration."""

from dataclasses import field
from typing import Any

from omegaconf import MISSING


def option(
    help: str,
    default: Any = MISSING,
    *,
    gt: float | None = None,
    ge: float | None = None,
    lt: float | None = None,
    le: float | None = None,
    max_length: int | None = None,
    choices: tuple[str, ...] = (),
    example: str = "VALUE",
) -> Any:
    """Declare a key with its help text for `--help` and its range for `validate`.

    The bounds of a list are those of its items; `max_length` limits their number. `example` is
    what messages write for the value if it is missing.
    """
    limits = {"gt": gt, "ge": ge, "lt": lt, "le": le}
    metadata = {
        "help": help,
        "example": example,
        "max_length": max_length,
        "choices": choices,
        **limits,
    }
    return field(default=default, metadata=metadata)

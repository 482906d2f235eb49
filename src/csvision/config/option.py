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
    choices: tuple[str, ...] = (),
    example: str = "VALUE",
) -> Any:
    """Declare a key with its help text for `--help` and its range for `validate`.

    `example` is what messages write for its value if it is missing.
    """
    limits = {"gt": gt, "ge": ge, "lt": lt, "le": le, "choices": choices}
    metadata = {"help": help, "example": example, **limits}
    return field(default=default, metadata=metadata)

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
) -> Any:
    """Declare a key with its help text for `--help` and its range for `validate`."""
    metadata = {"help": help, "gt": gt, "ge": ge, "lt": lt, "le": le, "choices": choices}
    return field(default=default, metadata=metadata)

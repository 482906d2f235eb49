"""Paths on the command line, taken as they are where Hydra would read signs in them."""

from collections.abc import Sequence
from pathlib import Path

from csvision.config import quoted

PATH_KEYS = ("run", "data.csv", "data.test_csv", "outputs", "model.path")
MULTIRUN = ("-m", "--multirun")
SWEEPS = ("choice(", "glob(", "shuffle(")


def quote_paths(arguments: Sequence[str]) -> list[str]:
    """The arguments with the values of path keys quoted for Hydra.

    In a multirun a comma parts two paths, unless a file has that very name.
    """
    multirun = any(argument in MULTIRUN for argument in arguments)
    return [quote_path(argument, multirun) for argument in arguments]


def quote_path(argument: str, multirun: bool) -> str:
    """One argument, quoted if it gives a path."""
    key, _, value = argument.partition("=")
    if key.lstrip("+") not in PATH_KEYS or not value or value == "null" or is_quoted(value):
        return argument
    if multirun and not Path(value).exists():
        if value.startswith(SWEEPS):
            return argument
        return f"{key}={','.join(quoted(part) for part in value.split(','))}"
    return f"{key}={quoted(value)}"


def is_quoted(value: str) -> bool:
    """Whether a value already carries Hydra's quotes."""
    return len(value) > 1 and value[0] == value[-1] and value[0] in "'\""

"""Quote values on the command line, so that Hydra reads paths and other text literally."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from omegaconf import ListConfig

from csvision.config.limits import MAX_ARGUMENT
from csvision.config.schema_registry import GROUP_SCHEMAS
from csvision.errors import ConfigError

PATH_KEYS = (
    "run",
    "data.csv",
    "data.test_csv",
    "data.labels_csv",
    "data.cache",
    "bundled_csv",
    "output_dir",
    "source_dir",
    "output",
    "out",
    "folder",
    "model.path",
    "loss.path",
    "metric.path",
    "transform.path",
    "init_from",
    "reference",
    "dataset",
)
NOT_TEXT = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?|true|false|null", re.IGNORECASE)
"""Values that Hydra does not read as text."""

MULTIRUN = ("-m", "--multirun")
SWEEP_FUNCTIONS = ("choice(", "glob(", "shuffle(")


def quote_paths(arguments: Sequence[str]) -> list[str]:
    """Quote the values of path keys for Hydra.

    In a multirun, a comma separates two paths unless a file has exactly that name. Raises
    ConfigError for an argument that Hydra would need very long to parse.
    """
    if errors := [argument_too_long(each) for each in arguments if len(each) > MAX_ARGUMENT]:
        raise ConfigError(errors)
    multirun = any(argument in MULTIRUN for argument in arguments)
    return [quote_path(argument, multirun) for argument in arguments]


def argument_too_long(argument: str) -> str:
    """Say that an argument is too long."""
    return (
        f"{argument.partition('=')[0][:80]} has {len(argument)} characters; use at most "
        f"{MAX_ARGUMENT}, or write the value to a file: --config-dir FOLDER"
    )


def quote_path(argument: str, multirun: bool) -> str:
    """Quote one argument if its key takes a path, or a number if its key takes a choice."""
    key, _, value = argument.partition("=")
    if key in GROUP_SCHEMAS:
        return f"{key}={quote_choices(value, multirun)}"
    if key.lstrip("+") not in PATH_KEYS or not value or value == "null" or is_quoted(value):
        return argument
    if multirun and not Path(value).exists():
        if value.startswith(SWEEP_FUNCTIONS):
            return argument
        return f"{key}={','.join(quote_override(path) for path in value.split(','))}"
    return f"{key}={quote_override(value)}"


def quote_choices(value: str, multirun: bool) -> str:
    """Quote the values of a group that are no text: Hydra refuses them without a name."""
    choices = value.split(",") if multirun else [value]
    return ",".join(f"'{each}'" if NOT_TEXT.fullmatch(each) else each for each in choices)


def is_quoted(value: str) -> bool:
    """Return whether a value is already in quotes."""
    return len(value) > 1 and value[0] == value[-1] and value[0] in "'\""


def unquote_path(override: str) -> str:
    """Return an override of a path key as it is typed, without the quotes of `quote_path`."""
    key, _, value = override.partition("=")
    typed = f"{key}={value[1:-1]}"
    return typed if is_quoted(value) and quote_path(typed, multirun=False) == override else override


def format_value(value: Any) -> str:
    """Return a value as it is written on the command line."""
    match value:
        case None:
            return "null"
        case bool():
            return str(value).lower()
        case Mapping():
            items = [f"{name}: {format_value(item)}" for name, item in value.items()]
            return f"{{{', '.join(items)}}}"
        case list() | ListConfig():
            return f"[{','.join(map(format_value, value))}]"
        case _:
            return str(value)


def quote_override(value: str) -> str:
    """Quote a string so that Hydra reads it literally, whatever characters it contains."""
    # A backslash is special only before a quote, where it must be doubled.
    escaped = re.sub(
        r"(\\*)('|$)",
        lambda match: match[1] * 2 + ("\\'" if match[2] else ""),
        escape_interpolation(value),
    )
    return f"'{escaped}'"


def escape_interpolation(value: Any) -> Any:
    """Return plain values in which OmegaConf finds no interpolation."""
    match value:
        case str():
            # Backslashes are special only before what they escape, where they must be doubled.
            return re.sub(r"(\\*)\$\{", lambda match: match[1] * 2 + "\\${", value)
        case list():
            return [escape_interpolation(item) for item in value]
        case dict():
            return {name: escape_interpolation(item) for name, item in value.items()}
        case _:
            return value

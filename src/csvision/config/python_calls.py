"""Overrides that are given to a Python function instead of the command line."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from csvision.config.compose import load_config
from csvision.config.hydra_errors import USE_MULTIRUN
from csvision.config.quoting import MULTIRUN, quote_override
from csvision.errors import ConfigError

USE_SWEEP = "call csvision.sweep(...) for several values"


def load_python_config(
    command: str, overrides: Sequence[str], config_dir: str | Path | None = None
) -> Any:
    """Return the validated configuration of a command; `config_dir` has choices of the user's own.

    Raises ConfigError for options of the command line and for several values of a key.
    """
    check_no_options(overrides)
    try:
        return load_config(command, [*search_path(config_dir), *overrides])
    except ConfigError as error:
        texts = [message.replace(USE_MULTIRUN, USE_SWEEP) for message in error.messages]
        raise ConfigError(texts) from error


def check_no_options(overrides: Sequence[str]) -> None:
    """Raise ConfigError for an option of the command line."""
    for override in overrides:
        if override in MULTIRUN:
            raise ConfigError(f"{override}: an option of the command line; {USE_SWEEP}")
        if override.startswith("--config-dir"):
            raise ConfigError(f"{override}: an option of the command line; write config_dir=FOLDER")


def search_path(config_dir: str | Path | None) -> list[str]:
    """Return the override by which Hydra finds choices in a folder, as --config-dir does.

    Raises ConfigError if there is no such folder.
    """
    if config_dir is None:
        return []
    folder = Path(config_dir).absolute()
    if not folder.is_dir():
        raise ConfigError(f"config_dir={config_dir}: this folder does not exist")
    return [f"hydra.searchpath=[{quote_override(f'file://{folder}')}]"]

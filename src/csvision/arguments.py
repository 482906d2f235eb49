"""The arguments of the public functions: overrides, configurations and runs."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from csvision.config.python_calls import load_python_config
from csvision.config.quoting import quote_override
from csvision.config.ranges import empty_path_errors
from csvision.config.schema_registry import COMMAND_SCHEMAS
from csvision.config.validate import validate
from csvision.errors import ConfigError
from csvision.run.has_directory import HasDirectory

AnyRun = str | Path | HasDirectory
"""A run or a sweep, given by its directory or its result."""


def resolve_config(
    command: str, overrides: Sequence[Any], config_dir: str | Path | None = None
) -> Any:
    """Return the validated configuration of a command.

    `overrides` are strings, from which it is composed, or the configuration itself. Raises
    ConfigError for other values.
    """
    if len(overrides) == 1 and isinstance(overrides[0], COMMAND_SCHEMAS[command]):
        validate(overrides[0])
        if errors := [*empty_path_errors(overrides[0])]:
            raise ConfigError(errors)
        return overrides[0]
    others = [type(override).__name__ for override in overrides if not isinstance(override, str)]
    if others:
        schema_name = COMMAND_SCHEMAS[command].__name__
        raise ConfigError(
            f"{command} takes strings KEY=VALUE or a single {schema_name}, not {', '.join(others)}"
        )
    return load_python_config(command, overrides, config_dir)


def resolve_run_config(command: str, run: Any, overrides: Sequence[str]) -> Any:
    """Return the configuration of a command on a run; paths are taken literally."""
    if isinstance(run, AnyRun):
        return resolve_config(command, [f"run={quote_override(str(run_path(run)))}", *overrides])
    return resolve_config(command, [run])


def run_path(run: AnyRun) -> Path:
    """Return the directory of a run or a sweep, given as a path or by its result."""
    return Path(run) if isinstance(run, str | Path) else run.directory

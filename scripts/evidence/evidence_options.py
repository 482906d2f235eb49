"""Parse the KEY=VALUE arguments of the scripts in this folder."""

import sys
from collections.abc import Iterable, Iterator
from dataclasses import Field, fields
from pathlib import Path
from typing import Any, NoReturn, TypeVar

from omegaconf import MISSING, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from csvision.config.validate import find_errors

T = TypeVar("T")


def parse_options(options_class: type[T], description: str | None) -> T:
    """Return the options on the command line as an instance of a dataclass.

    The fields are declared with csvision.option(help, default); an option without a default is
    required. Prints the usage for --help. Errors are printed together, one line each, and end the
    process with exit code 2.
    """
    arguments = sys.argv[1:]
    if {"--help", "-h"} & set(arguments):
        print("\n".join(usage_lines(options_class, description)))
        raise SystemExit(0)
    config = OmegaConf.structured(options_class)
    known = list(config)
    errors = []
    for argument in arguments:
        key, equals, value = argument.partition("=")
        if not equals or key not in known:
            errors.append(f"{argument}: unknown option; --help lists all options")
            continue
        try:
            config[key] = None if value == "null" else value
        except OmegaConfBaseException as error:
            errors.append(f"{argument}: {str(error).partition(chr(10))[0]}")
    errors += [f"{key} is missing: write {key}=VALUE" for key in OmegaConf.missing_keys(config)]
    if errors:
        exit_with_errors(errors)
    options: Any = OmegaConf.to_object(config)
    if errors := find_errors(options):
        exit_with_errors(errors)
    return options  # type: ignore[no-any-return]


def usage_lines(options_class: Any, description: str | None) -> Iterator[str]:
    """Yield the lines that --help prints."""
    yield f"usage: python scripts/evidence/{Path(sys.argv[0]).name} [KEY=VALUE ...]"
    yield f"\n{(description or '').strip()}\n"
    entries = {f"{entry.name}={format_default(entry)}": entry for entry in fields(options_class)}
    width = max(map(len, entries))
    for text, entry in entries.items():
        yield f"  {text:<{width}}  {entry.metadata['help']}"


def format_default(entry: Field[Any]) -> str:
    """Format the default value of an option as it is written on the command line."""
    if entry.default is None:
        return "null"
    return "VALUE (required)" if entry.default == MISSING else str(entry.default)


def exit_with_errors(errors: Iterable[str]) -> NoReturn:
    """Print one line for each error and end the process with exit code 2."""
    for error in errors:
        print(f"error: {error}", file=sys.stderr)
    raise SystemExit(2)

"""Errors of Hydra and OmegaConf as one line: the key, what is wrong, how to fix it."""

import difflib
import re
from contextlib import suppress
from dataclasses import fields
from pathlib import Path
from typing import Any

from hydra.errors import MissingConfigException, OverrideParseException

from csvision.config import model_schema
from csvision.config.schema_registry import COMMAND_SCHEMAS, GROUP_SCHEMAS
from csvision.config.value_types import alternatives
from csvision.errors import first_line
from csvision.files import RUN_FILES
from csvision.legacy import rename_key

EXPECTED_TYPES = (
    ("could not be converted to Integer", "an integer"),
    ("could not be converted to Float", "a number"),
    ("is not a valid bool", "true or false"),
    (r"expected one of \[(.*)\]", r"one of \1"),
)
"""What OmegaConf says about a wrong type, and the type in plain words."""

USE_MULTIRUN = "use -m to sweep over several values"

OTHER_NAMES = {
    "learning_rate": "optimizer.lr",
    "max_epochs": "epochs",
    "num_epochs": "epochs",
    "n_epochs": "epochs",
    "random_state": "seed",
}
"""Names of keys in Lightning, Keras and scikit-learn."""

REPLACED_KEYS = {"search.metric": "monitor"}
"""Keys of earlier versions whose purpose another key has now; no run has recorded them."""


def format_hydra_error(error: Exception) -> str:
    """Format an error of Hydra or OmegaConf as one line."""
    first = first_line(error)
    match error:
        case OverrideParseException():
            return parse_error(str(error.override))
        case MissingConfigException() if error.options:
            group, _, choice = str(error.missing_cfg_file).rpartition("/")
            return f"{group}={choice}: unknown choice; choose from {', '.join(error.options)}"
    reason = first_line(error.__cause__) if error.__cause__ else ""
    if unknown := re.match(r"Could not override '(.+)'", first):
        name = unknown[1]
        inside = re.match(r"Key '(.+)' not in", reason)
        if inside and inside[1] not in name.split("."):
            name = f"{name}.{inside[1]}"
        return unknown_key(name)
    if first.startswith("Exceeds the limit"):
        return "a number on the command line has thousands of digits; write it with fewer"
    if first.startswith("Ambiguous value"):
        return f"{first}: {USE_MULTIRUN}, or [...] for a list"
    missing = re.match(r"Error merging override (model\.stages\.\d+)\..+", first)
    if missing and "not a subclass" in reason:
        return f"{missing[1]}: no such stage; to change the number of stages, give the whole list"
    if merged := re.match(r"Error merging override (.+)", first):
        return type_error(merged[1], reason)
    return ": ".join(filter(None, (getattr(error, "full_key", None), first, reason)))


def parse_error(override: str) -> str:
    """Say that an argument cannot be parsed."""
    if "=" not in override:
        return f"{override}: the key is missing; write {likely_key(override)}={override}"
    return (
        f"{override}: not a valid KEY=VALUE; write one KEY=VALUE per argument, and a value with "
        "special characters in quotes"
    )


def likely_key(value: str) -> str:
    """Return the key to which a value without a key probably belongs; KEY if that is not clear."""
    path = Path(value)
    # Names that are too long raise OSError.
    with suppress(OSError, ValueError):
        if any((path / name).is_file() for name in RUN_FILES):
            return "run"
        if path.is_file() and path.name not in RUN_FILES:
            return "data.csv"
    return "KEY"


def type_error(override: str, reason: str) -> str:
    """Say that the value of KEY=VALUE has the wrong type; `reason` is OmegaConf's message."""
    for pattern, expected in EXPECTED_TYPES:
        if match := re.search(pattern, reason):
            return f"{override} must be {match.expand(expected)}"
    if reason.endswith("is not a ListConfig, list or tuple."):
        key, _, value = override.partition("=")
        return f"{override} must be a list; write {key}=[{value}]"
    if match := re.search(r"is not a subclass of (\w+)\.", reason):
        return value_of_group(override, match[1])
    return f"{override}: {reason}"


def value_of_group(override: str, schema_name: str) -> str:
    """Say that a value belongs to one of the keys of a group without choices."""
    group, _, value = override.partition("=")
    nodes = {entry.type for command in COMMAND_SCHEMAS.values() for entry in fields(command)}
    node: Any = next(node for node in nodes if getattr(node, "__name__", "") == schema_name)
    types = literal_types(value)
    fitting = [
        f"{group}.{entry.name}" for entry in fields(node) if types & {*alternatives(entry.type)}
    ]
    if fitting:
        return f"{override}: {group} has keys of its own; write {fitting[0]}={value}"
    names = ", ".join(f"{group}.{entry.name}" for entry in fields(node))
    return f"{override}: {group} has keys of its own; write one of {names}"


def literal_types(value: str) -> set[type]:
    """Return the types of the keys to which a value without quotes may belong."""
    if re.fullmatch(r"-?\d+", value):
        return {int, float}
    if re.fullmatch(r"-?[\d.]+(e[-+]?\d+)?", value):
        return {float}
    return {str} if value.partition(".py:")[2] else set()


def unknown_key(name: str) -> str:
    """Say that a key does not exist, and which key is probably meant."""
    return f"{name}: unknown key{suggest_key(name)}; --help lists all keys"


def suggest_key(name: str) -> str:
    """Return a hint: the new name of a renamed key, the choices with this key, or a similar key."""
    if (current := REPLACED_KEYS.get(name, rename_key(name))) != name:
        return f"; it is now {current}"
    stage = re.match(r"model\.stages\.(\d+\.)?", name)
    prefix = stage[0] if stage else ""
    known = stage_keys() if stage else all_keys()
    key = name.removeprefix(prefix)
    if owners := known.pop(key, []):
        return f"; it belongs to {', '.join(owners)}"
    if key in GROUP_SCHEMAS:
        return f", as this command has no choice of {key}"
    if not stage and (commands := commands_with(key)):
        weights = "; to train from its weights: init_from=DIR" if key == "run" else ""
        return f"; it is a key of {', '.join(commands)}{weights}"
    last = key.rpartition(".")[2]
    if last in OTHER_NAMES:
        return f"; did you mean {OTHER_NAMES[last]}?"
    if len(same := [other for other in known if other.rpartition(".")[2] == last]) == 1:
        return f"; did you mean {prefix}{same[0]}?"
    # Two keys are similar only if their last parts are, whatever group they share.
    similar = [
        other for other in known if difflib.get_close_matches(last, [other.rpartition(".")[2]])
    ]
    matches = difflib.get_close_matches(key, similar, n=1, cutoff=0.75)
    return f"; did you mean {prefix}{matches[0]}?" if matches else ""


def commands_with(key: str) -> list[str]:
    """Return the commands that have a key without a dot."""
    return [
        command.replace("_", "-")
        for command, node in COMMAND_SCHEMAS.items()
        if key in {entry.name for entry in fields(node)}
    ]


def stage_keys() -> dict[str, list[str]]:
    """Return every key of a stage with the choices that have it."""
    return {entry.name: ["model=cnn"] for entry in fields(model_schema.Stage)}


def all_keys() -> dict[str, list[str]]:
    """Return every key and group with the choices that have it, where only some do."""
    known: dict[str, list[str]] = {group: [] for group in GROUP_SCHEMAS}
    known |= {entry.name: [] for command in COMMAND_SCHEMAS.values() for entry in fields(command)}
    for group, nodes in GROUP_SCHEMAS.items():
        for choice, node in nodes.items():
            for entry in fields(node):
                owners = known.setdefault(f"{group}.{entry.name}", [])
                owners += [f"{group}={choice}"] if len(nodes) > 1 else []
    return known

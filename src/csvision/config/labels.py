"""Name runs by what differs between them: labels in tables, and names of the folders of jobs.

The label of a job is `lr=0.01 stages=3x16`, the name of its folder `0_lr=0.01_stages=3x16`.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields
from functools import lru_cache
from hashlib import sha256
from itertools import groupby
from pathlib import PurePath
from typing import Any

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.errors import HydraException
from omegaconf import MISSING

from csvision.config.model_schema import Stage

MAX_NAME = 80
"""Bytes of the name of a folder; file systems allow 255, and systems limit whole paths."""

MAX_VALUE = 32
"""Characters of a value in a label."""

STAGE_DEFAULTS = {entry.name: entry.default for entry in fields(Stage)}


def parse_override(override: str) -> tuple[str, str]:
    """Return key and value of KEY=VALUE as texts, without the + and ~ of Hydra."""
    key, _, value = override.lstrip("+~").partition("=")
    return key, value


def short_keys(keys: Iterable[str]) -> dict[str, str]:
    """Return a short name for each key: the fewest last words of it that no other key ends with.

    A name does not start with a number: of model.stages.0.filters and model.stages.1.filters,
    the names are stages.0.filters and stages.1.filters.
    """
    words = {key: key.split(".") for key in dict.fromkeys(keys)}
    return {key: shortest_suffix(key, words) for key in words}


def shortest_suffix(key: str, words: Mapping[str, Sequence[str]]) -> str:
    """Return the short name of one of several keys."""
    own = words[key]
    for count in range(1, len(own)):
        suffix = own[-count:]
        shared = any(other[-count:] == suffix for name, other in words.items() if name != key)
        if not shared and not suffix[0].isdecimal():
            return ".".join(suffix)
    return key


def label(values: Mapping[str, Any], names: Mapping[str, str] | None = None) -> str:
    """Return keys and values as in tables: `lr=0.01 stages=3x16`; `names` has short names."""
    names = short_keys(values) if names is None else names
    return " ".join(f"{names[key]}={short_value(value)}" for key, value in values.items())


def folder_name(number: int, values: Mapping[str, Any]) -> str:
    """Return the name of the folder of a job: its number and label, safe on all file systems.

    It has at most MAX_NAME ASCII characters; the end of a longer one is replaced by a hash.
    """
    names = short_keys(values)
    parts = [str(number), *(f"{names[key]}={short_value(values[key])}" for key in values)]
    name = "_".join(safe_text(part) for part in parts)
    if len(name) <= MAX_NAME:
        return name
    digest = sha256("_".join(parts).encode()).hexdigest()[:8]
    return f"{name[: MAX_NAME - 9]}_{digest}"


def safe_text(text: str) -> str:
    """Return text in which every character that a file system or a shell treats is a dash."""
    return re.sub(r"-*[^A-Za-z0-9._=+-]+-*", "-", text).strip("-.")


def short_value(value: Any) -> str:
    """Return a value as in labels, from text as in an override or from plain data."""
    value = parse_value(value) if isinstance(value, str) else value
    # Of a path, the name.
    text = PurePath(value).name or value if isinstance(value, str) else describe_value(value)
    return text if len(text) <= MAX_VALUE else f"{text[: MAX_VALUE - 3]}..."


@lru_cache(maxsize=4096)
def parse_value(text: str) -> Any:
    """Return the value of an override; text that Hydra cannot parse is returned as it is."""
    if re.fullmatch(r"[\w.+-]*", text):
        # Hydra writes True for a job of flag=true,false.
        return text.lower() if text.lower() in ("true", "false", "null") else text
    try:
        return OverridesParser.create().parse_override(f"key={text}").value()
    except (HydraException, ValueError, RecursionError):
        return text


def describe_value(value: Any) -> str:
    """Return plain data in few characters."""
    match value:
        case None:
            return "null"
        case bool():
            return str(value).lower()
        case float():
            return f"{value:g}"
        case str():
            return value
        case list() if value and all(isinstance(item, dict) for item in value):
            return describe_stages(value)
        case list():
            return ",".join(map(describe_value, value)) or "none"
        case dict():
            return ",".join(f"{key}={describe_value(item)}" for key, item in value.items())
    return str(value)


def describe_stages(stages: Sequence[Mapping[str, Any]]) -> str:
    """Return the stages of a CNN by what differs from the defaults: `2x16,32(stride=2)`."""
    parts = []
    for text, group in groupby(map(describe_stage, stages)):
        count = len(list(group))
        parts.append(f"{count}x{text}" if count > 1 else text)
    return ",".join(parts)


def describe_stage(stage: Mapping[str, Any]) -> str:
    """Return the number of filters of a stage, and the keys that differ from the defaults."""
    filters = stage.get("filters", STAGE_DEFAULTS["filters"])
    others = [
        f"{key}={describe_value(value)}"
        for key, value in stage.items()
        if key != "filters" and not is_default(key, value)
    ]
    return f"{filters}({','.join(others)})" if others else str(filters)


def is_default(key: str, value: Any) -> bool:
    """Return whether a key of a stage has its default."""
    default = STAGE_DEFAULTS.get(key, MISSING)
    return bool(value == default and isinstance(value, bool) == isinstance(default, bool))

"""Validate each value of a configuration alone: its range, its length, and no empty path."""

from collections.abc import Iterator, Mapping
from dataclasses import Field, fields, is_dataclass
from typing import Any

from csvision.config.limits import MAX_STRING
from csvision.config.quoting import PATH_KEYS
from csvision.config.schema import DataConfig
from csvision.config.value_types import shorten_value


def range_errors(node: Any, prefix: str) -> Iterator[str]:
    """Yield an error for each value of a dataclass, nested ones included, that is out of range."""
    for entry in fields(node):
        name, value = f"{prefix}{entry.name}", getattr(node, entry.name)
        if is_dataclass(value):
            yield from range_errors(value, f"{name}.")
            continue
        longest = entry.metadata.get("max_length")
        if isinstance(value, list) and longest is not None and len(value) > longest:
            yield f"{name} has {len(value)} items; use at most {longest}"
            continue
        for key, item in enumerate_items(name, value):
            if is_dataclass(item):
                yield from range_errors(item, f"{key}.")
            elif isinstance(item, str) and len(item) > MAX_STRING:
                yield f"{key} has {len(item)} characters; use at most {MAX_STRING}"
            elif error := range_error(item, entry.metadata):
                yield f"{key}={shorten_value(item)} {error}"


def enumerate_items(name: str, value: Any) -> list[tuple[str, Any]]:
    """Return the items of a list with their keys; any other value with its own key."""
    if isinstance(value, list):
        return [(f"{name}.{index}", item) for index, item in enumerate(value)]
    return [(name, value)]


def range_error(value: Any, limits: Mapping[str, Any]) -> str:
    """Describe the range that a value violates; empty if it violates none."""
    if limits.get("choices") and value not in limits["choices"]:
        return f"must be one of {', '.join(limits['choices'])}"
    if isinstance(value, bool | str) or not isinstance(value, int | float):
        return ""
    gt, ge, lt, le = map(limits.get, ("gt", "ge", "lt", "le"))
    # Written so that NaN fails each comparison.
    in_range = (
        (gt is None or value > gt)
        and (ge is None or value >= ge)
        and (lt is None or value < lt)
        and (le is None or value <= le)
        and value not in (float("inf"), float("-inf"))
    )
    if in_range:
        return ""
    bounds = [
        f"{operator} {bound if isinstance(bound, int) else format(bound, 'g')}"
        for operator, bound in ((">", gt), (">=", ge), ("<", lt), ("<=", le))
        if bound is not None
    ]
    return f"must be {' and '.join(bounds) or 'finite'}"


def empty_path_errors(node: Any, prefix: str = "") -> Iterator[str]:
    """Yield an error for each path of a dataclass, nested ones included, that is empty.

    Configurations that were recorded may have such values.
    """
    for entry in fields(node):
        key, value = f"{prefix}{entry.name}", getattr(node, entry.name)
        if is_dataclass(value):
            yield from empty_path_errors(value, f"{key}.")
        elif value == "" and key in PATH_KEYS:
            yield empty_path(key, node, entry)


def empty_path(key: str, node: Any, entry: Field[Any]) -> str:
    """Say that the path of a key is empty, which Python would read as the current folder."""
    if isinstance(node, DataConfig) and entry.name == "csv":
        return f"{key} is empty; write data=csv {key}=FILE"
    example = entry.metadata["example"]
    return f"{key} is empty; write {key}={'PATH' if example == 'VALUE' else example}"

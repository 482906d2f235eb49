"""Check the types of the values of a configuration that did not come from text.

Hydra converts and checks what the command line gives; a dataclass made in Python takes anything.
"""

from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from enum import Enum
from types import UnionType
from typing import Any, get_args, get_origin

TYPE_NAMES = {int: "an integer", float: "a number", bool: "true or false", str: "text"}

MAX_SHOWN = 80
"""Characters of a value in a message."""


def type_errors(node: Any, prefix: str = "") -> Iterator[str]:
    """Yield an error for each value of a dataclass, nested ones included, of another type."""
    for entry in fields(node):
        name, value, expected = f"{prefix}{entry.name}", getattr(node, entry.name), entry.type
        if value is None and not any(has_type(None, kind) for kind in alternatives(expected)):
            yield f"{name} is null; write {name}={entry.metadata.get('example', 'VALUE')}"
        else:
            yield from value_type_errors(name, value, alternatives(expected))


def value_type_errors(name: str, value: Any, expected: tuple[Any, ...]) -> Iterator[str]:
    """Yield an error if a value, or an item of a list, has none of the expected types."""
    lists = [kind for kind in expected if get_origin(kind) is list]
    if not any(has_type(value, kind) for kind in expected):
        names = " or ".join(type_name(kind) for kind in expected)
        yield f"{name}={shorten_value(value)} must be {names}, not {type(value).__name__}"
    elif is_dataclass(value):
        yield from type_errors(value, f"{name}.")
    elif isinstance(value, list) and lists:
        for index, item in enumerate(value):
            yield from value_type_errors(f"{name}.{index}", item, get_args(lists[0]))


def alternatives(expected: Any) -> tuple[Any, ...]:
    """Return the members of a union; any other type alone."""
    return get_args(expected) if isinstance(expected, UnionType) else (expected,)


def has_type(value: Any, expected: Any) -> bool:
    """Return whether a value has a type; for Python a bool is an integer, but not here."""
    if expected is Any:
        return True
    if expected in (int, float):
        return isinstance(value, int | expected) and not isinstance(value, bool)
    return isinstance(value, get_origin(expected) or expected)


def type_name(expected: Any) -> str:
    """Return a type in plain words."""
    if isinstance(expected, type) and issubclass(expected, Enum):
        members = ", ".join(f"{expected.__name__}.{member.name}" for member in expected)
        return f"one of {members}"
    if expected is type(None):
        return "null"
    return TYPE_NAMES.get(expected) or f"a {(get_origin(expected) or expected).__name__}"


def shorten_value(value: Any) -> str:
    """Return a value as text, shortened if it is long."""
    try:
        text = str(value)
    except ValueError:
        # Python does not print integers of over 4,300 digits.
        return "(thousands of digits)"
    return text if len(text) <= MAX_SHOWN else f"{text[:MAX_SHOWN]}..."

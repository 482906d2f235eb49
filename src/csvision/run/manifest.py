"""Read run.json, the manifest of a run, and validate everything in it."""

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from csvision.config.limits import MAX_EPOCHS, MAX_THREADS
from csvision.errors import RunError

STATES = ("running", "finished", "interrupted", "failed", "diverged", "pruned")

METADATA = ("data", "code", "versions", "accelerator", "threads")
"""Entries written together when the training starts."""

RESULT_HASHES = ("weights_sha256", "predictions_sha256")
"""Entries written when the run is finished."""

OPTIONAL = (
    "data.pixel_range",
    "data.label_column",
    "data.pixel_columns",
    "data.notices",
    "initial_weights_sha256",
)
"""Entries that version 0.2.0 did not write."""

MAX_BYTES = 64 * 2**20
MAX_SIDE = 100_000


def is_text(value: Any) -> bool:
    """Return whether a value is a string."""
    return isinstance(value, str)


def is_mapping(value: Any) -> bool:
    """Return whether a value is a JSON object."""
    return isinstance(value, dict)


def is_hash(value: Any) -> bool:
    """Return whether a value is a SHA-256 in hexadecimal digits."""
    return isinstance(value, str) and re.fullmatch("[0-9a-f]{64}", value) is not None


def is_integer(value: Any, low: int, high: int) -> bool:
    """Return whether a value is an integer in a range; true and false are no integers."""
    return isinstance(value, int) and not isinstance(value, bool) and low <= value <= high


def is_text_list(value: Any) -> bool:
    """Return whether a value is a list of strings."""
    return isinstance(value, list) and all(map(is_text, value))


def is_shape(value: Any) -> bool:
    """Return whether a value is an image shape (C, H, W)."""
    sides = isinstance(value, list) and len(value) == 3
    return sides and all(is_integer(side, 1, MAX_SIDE) for side in value)


def is_epoch_list(value: Any) -> bool:
    """Return whether a value is a list of numbers of epochs."""
    return isinstance(value, list) and all(is_integer(epochs, 1, MAX_EPOCHS) for epochs in value)


def is_label_list(value: Any) -> bool:
    """Return whether a value is a list of different labels, all integers or all strings."""
    if not isinstance(value, list) or not value or len({type(label) for label in value}) > 1:
        return False
    return type(value[0]) in (int, str) and len(set(value)) == len(value)


def is_pixel_range(value: Any) -> bool:
    """Return whether a value has the values of black and white."""
    numbers = isinstance(value, list) and all(type(number) in (int, float) for number in value)
    return numbers and len(value) == 2 and -1e30 < value[0] < value[1] < 1e30


def is_row_counts(value: Any) -> bool:
    """Return whether a value has the number of rows of each split."""
    names = isinstance(value, dict) and value.keys() == {"train", "val", "test"}
    return names and all(is_integer(count, 0, 10**12) for count in value.values())


def is_hash_mapping(value: Any) -> bool:
    """Return whether a value maps names to hashes."""
    return isinstance(value, dict) and all(map(is_hash, value.values()))


def is_text_mapping(value: Any) -> bool:
    """Return whether a value maps names to strings."""
    return isinstance(value, dict) and all(map(is_text, value.values()))


CHECKS: dict[str, tuple[Callable[[Any], bool], str]] = {
    "state": (lambda value: is_text(value) and value in STATES, f"one of {', '.join(STATES)}"),
    "started": (is_text, "a time"),
    "ended": (is_text, "a time"),
    "reason": (is_text, "a string"),
    "resumed": (is_text_list, "a list of times"),
    "overrides": (is_text_list, "a list of strings"),
    "extended_from": (is_epoch_list, f"a list of integers from 1 to {MAX_EPOCHS}"),
    "config": (is_mapping, "a configuration"),
    "data": (is_mapping, "an object"),
    "data.image_shape": (is_shape, f"[channels, height, width], each from 1 to {MAX_SIDE}"),
    "data.label_values": (is_label_list, "a list of different integers or strings"),
    "data.classes": (is_text_list, "a list of strings"),
    "data.pixel_range": (is_pixel_range, "the values of black and white"),
    "data.label_column": (lambda value: value is None or is_text(value), "a name or null"),
    "data.pixel_columns": (
        lambda value: value is None or is_text_list(value),
        "a list of names or null",
    ),
    "data.notices": (is_text_list, "a list of strings"),
    "data.rows": (is_row_counts, "the numbers of rows of train, val and test"),
    "data.sha256": (is_hash, "a SHA-256"),
    "data.test_sha256": (is_hash, "a SHA-256"),
    "data.split_sha256": (is_hash, "a SHA-256"),
    "code": (is_hash_mapping, "a SHA-256 for each file"),
    "git": (lambda value: value is None or is_mapping(value), "an object or null"),
    "versions": (is_text_mapping, "a version for each package"),
    "machine": (is_mapping, "an object"),
    "accelerator": (lambda value: value in ("cpu", "cuda", "mps"), "cpu, cuda or mps"),
    "threads": (lambda value: is_integer(value, 1, MAX_THREADS), f"from 1 to {MAX_THREADS}"),
    "init_from": (is_text_mapping, "an object of strings"),
    "initial_weights_sha256": (is_hash, "a SHA-256"),
    "weights_sha256": (is_hash, "a SHA-256"),
    "predictions_sha256": (is_hash, "a SHA-256"),
}
"""The entries of run.json, and of its entry `data`: what they must be."""


def read_manifest(path: Path) -> dict[str, Any]:
    """Return the content of a run.json.

    Raises OSError if it cannot be read, and RunError, naming the entry, if it is damaged.
    """
    content = read_json_object(path)
    if errors := list(manifest_errors(content)):
        raise RunError(f"{path} is damaged: {errors[0]}")
    return content


def read_json_object(path: Path) -> dict[str, Any]:
    """Return the content of a JSON file.

    Raises OSError if it cannot be read, and RunError if it is too large or not a JSON object.
    """
    try:
        if path.stat().st_size > MAX_BYTES:
            raise RunError(f"{path} is damaged: it has over {MAX_BYTES // 2**20} MiB")
        content = json.loads(path.read_text(encoding="utf-8"))
    except RunError:
        raise
    except RecursionError as error:
        raise RunError(f"{path} is damaged: it is nested too deeply") from error
    except ValueError as error:
        raise RunError(f"{path} is damaged: {error}") from error
    if not isinstance(content, dict):
        raise RunError(f"{path} is damaged: it is not a JSON object")
    return content


def manifest_errors(content: dict[str, Any]) -> Iterator[str]:
    """Yield one description for each invalid or missing entry."""
    data = content.get("data", {})
    nested = {f"data.{name}": value for name, value in data.items()} if is_mapping(data) else {}
    entries = content | nested
    for name, (is_valid, expected) in CHECKS.items():
        if name in entries and not is_valid(entries[name]):
            yield f"{name} is {abbreviate(entries[name])}; it must be {expected}"
    for name in required_entries(content):
        if name not in entries:
            yield f"the entry {name} is missing"
    classes, labels = nested.get("data.classes", []), nested.get("data.label_values", [])
    if is_text_list(classes) and is_label_list(labels) and len(classes) != len(labels):
        yield f"data.classes has {len(classes)} names for {len(labels)} labels"


def required_entries(content: dict[str, Any]) -> list[str]:
    """Return the entries that a manifest in this state must have."""
    required = ["state", "config"]
    if content.get("state") == "finished" or any(name in content for name in METADATA):
        required += METADATA
        required += [name for name in CHECKS if name.startswith("data.") and name not in OPTIONAL]
    if content.get("state") == "finished":
        required += RESULT_HASHES
    return required


def abbreviate(value: Any) -> str:
    """Return a value as JSON, cut to one short line."""
    text = json.dumps(value)
    return text if len(text) <= 60 else f"{text[:57]}..."

"""Configurations with dotted keys, as tables and TensorBoard show them."""

import sys
from collections.abc import Mapping
from typing import Any

IGNORED = (
    *("output_dir", "quiet", "logger", "launcher", "search", "checkpoint_interval_seconds"),
    *("accelerator.name", "accelerator.devices", "accelerator.num_threads", "debug.profile"),
    *("data.cache", "data.max_decompressed_gib"),
)
"""Keys, or the starts of keys, that change no result."""

REPLICATE_KEYS = ("seed", "data.fold")
"""Keys whose values repeat a setting."""

Values = dict[str, Any]
"""Plain values by configuration key with dots."""


def flatten_config(config: Mapping[str, Any], prefix: str = "") -> Values:
    """Return a plain configuration with dotted keys, without IGNORED; lists stay lists."""
    flat: Values = {}
    for name, value in config.items():
        key = sys.intern(f"{prefix}{name}")
        if is_ignored(key):
            continue
        if isinstance(value, Mapping):
            flat |= flatten_config(value, f"{key}.")
        else:
            flat[key] = value
    return flat


def is_ignored(key: str) -> bool:
    """Return whether a key changes no result."""
    return any(key == ignored or key.startswith(f"{ignored}.") for ignored in IGNORED)

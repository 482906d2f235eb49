"""Read runs made by csvision 0.1, before its configuration keys were renamed."""

import copy
from collections.abc import Mapping
from typing import Any

RENAMED_KEYS = {
    "data.label": "data.label_column",
    "data.border": "data.pad",
    "data.standardize": "data.normalize",
    "data.unpacked_gib": "data.max_decompressed_gib",
    "augmentation.flip": "augmentation.hflip",
    "augmentation.shift": "augmentation.translate",
    "augmentation.erase": "augmentation.cutout",
    "augmentation.impulse": "augmentation.impulse_noise",
    "model.head": "model.global_pool",
    "model.arguments": "model.kwargs",
    "scheduler.final_lr": "scheduler.eta_min",
    "scheduler.warmup": "scheduler.pct_start",
    "scheduler.start_factor": "scheduler.div_factor",
    "scheduler.final_factor": "scheduler.final_div_factor",
    "scheduler.every": "scheduler.step_size",
    "accelerator.threads": "accelerator.num_threads",
    "debug.rows": "debug.limit_rows",
    "weights": "test_checkpoint",
    "checkpoint_seconds": "checkpoint_interval_seconds",
    "outputs": "output_dir",
}
"""Configuration keys of version 0.1 with their new names."""

ADDED_KEYS: dict[str, dict[str, Any]] = {
    "data": {
        "labels_csv": None,
        "header": "auto",
        "ignore": [],
        "pixel_range": "auto",
        "transpose": False,
        "folds": None,
        "fold": None,
        "balanced_sampling": False,
    },
    "accelerator": {"compile": False},
    "augmentation": {"mixup_alpha": 0.0, "cutmix_alpha": 0.0},
    "scheduler": {"warmup_epochs": 0.0},
}
"""Configuration keys that version 0.2.0 did not have, by group, with their defaults."""

ADDED_TOP_LEVEL_KEYS: dict[str, Any] = {
    "search": {"name": "none"},
    "loss": {"class_weights": None, "label_smoothing": 0.0, "path": None, "kwargs": {}},
    "metric": {"path": None, "kwargs": {}, "mode": "max"},
    "transform": {"path": None, "kwargs": {}},
    "early_stopping": {"patience": None, "min_delta": 0.0},
    "ema": {"decay": None},
    "monitor": "val/acc",
    "gradient_clip": None,
    "freeze": [],
    "init_from": None,
    "tta": "none",
    "launcher": {
        "name": "serial",
        "retries": 0,
        "stop_on_failure": False,
        "time_limit_minutes": None,
    },
}
"""Keys and sections outside of the groups that version 0.2.0 did not have."""

RENAMED_VALUES = {
    "data.csv": {"embedded": "bundled"},
    "model.global_pool": {"flatten": "none", "global_average": "avg", "global_max": "max"},
}
"""Values of version 0.1 with their new spelling, by new key."""

RENAMED_CALLBACKS = {
    "RandomStreams": "RNGStateCallback",
    "EpochRecorder": "HistoryCallback",
    "Checkpoints": "CheckpointCallback",
}
"""The names under which version 0.1 stored the states of callbacks in checkpoints."""


def rename_key(key: str) -> str:
    """Return the current name of a key, or of a key inside it, such as model.arguments.width."""
    for old, new in RENAMED_KEYS.items():
        if key == old or key.startswith(f"{old}."):
            return new + key.removeprefix(old)
    return key


def migrate_config(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return a plain configuration with the current names of keys and values, and all keys.

    A configuration that has them already is returned unchanged. Raises TypeError for other values.
    """
    if not isinstance(values, Mapping):
        raise TypeError(f"{values!r} is not a configuration")
    migrated = migrate_section(values, "")
    # Only a training configuration has these keys.
    if "optimizer" in migrated:
        migrated = copy.deepcopy(ADDED_TOP_LEVEL_KEYS) | migrated
    for group, defaults in ADDED_KEYS.items():
        if isinstance(migrated.get(group), Mapping):
            migrated[group] = defaults | migrated[group]
    return migrated


def migrate_section(values: Mapping[str, Any], prefix: str) -> dict[str, Any]:
    """Return one level of a configuration with the current names."""
    migrated: dict[str, Any] = {}
    for name, value in values.items():
        key = rename_key(f"{prefix}{name}")
        if isinstance(value, Mapping) and not prefix:
            value = migrate_section(value, f"{name}.")
        elif isinstance(value, str):
            value = RENAMED_VALUES.get(key, {}).get(value, value)
        migrated[key.removeprefix(prefix)] = value
    return migrated


def migrate_override(override: str) -> str:
    """Return an override KEY=VALUE with the current names of key and value."""
    key, separator, value = override.partition("=")
    prefix = "+" * (len(key) - len(key.lstrip("+")))
    key = rename_key(key.lstrip("+"))
    choices = [RENAMED_VALUES.get(key, {}).get(choice, choice) for choice in value.split(",")]
    return f"{prefix}{key}{separator}{','.join(choices)}"


def migrate_checkpoint(checkpoint: dict[str, Any]) -> None:
    """Give the current names to the states in a checkpoint, in place."""
    weights = checkpoint.get("state_dict")
    if isinstance(weights, dict) and "deviation" in weights:
        weights["std"] = weights.pop("deviation")
    callbacks = checkpoint.get("callbacks")
    if isinstance(callbacks, dict):
        for old, new in RENAMED_CALLBACKS.items():
            if old in callbacks:
                callbacks[new] = callbacks.pop(old)
    optimizers = checkpoint.get("optimizer_states")
    for optimizer in optimizers if isinstance(optimizers, list) else ():
        groups = optimizer.get("param_groups") if isinstance(optimizer, dict) else ()
        for group in groups if isinstance(groups, list) else ():
            # Runs that began without fused kernels resume without them, to the same bits.
            if isinstance(group, dict) and group.get("fused", False) is None:
                group["fused"] = False

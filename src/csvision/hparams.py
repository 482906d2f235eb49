"""What TensorBoard's HParams tab shows of a run: its keys, and the name of its group.

TensorBoard shows the keys that differ between runs first, and averages the runs of a group.
"""

import json
from collections.abc import Mapping
from dataclasses import fields
from hashlib import sha256
from typing import Any

from csvision.config.baseline_schema import RunConfig
from csvision.config.flatten import REPLICATE_KEYS, flatten_config
from csvision.config.labels import label, parse_value, short_keys, short_value
from csvision.config.serialize import config_to_dict

HParam = bool | float | str


def hparam_values(config: RunConfig, swept: Mapping[str, str]) -> dict[str, HParam]:
    """Return the keys of a run with short names; `swept` has those that its sweep varies, as text.

    A job of a sweep has these and the seed, because TensorBoard shows the first five keys only; a
    single run has all keys. Keys without a value are left out: beside None, TensorBoard would treat
    numbers as text.
    """
    flat = flatten_config(config_to_dict(config))
    choices = {key.removesuffix(".name"): value for key, value in flat.items() if is_choice(key)}
    values = {
        key: flat.get(key, choices.get(key, parse_value(text))) for key, text in swept.items()
    }
    values |= {key: text for key, text in swept.items() if key in choices}
    others = {"seed": config.seed} if swept else {**choices, **flat}
    for key, value in others.items():
        if not is_choice(key):
            values.setdefault(key, value)
    texts = text_keys(config)
    names = short_keys([*values])
    return {
        names[key]: short_value(value) if key in texts else to_hparam(value)
        for key, value in values.items()
        if value is not None
    }


def is_choice(key: str) -> bool:
    """Return whether a key is the name of the choice of a group, such as model.name."""
    return key.count(".") == 1 and key.endswith(".name")


def text_keys(config: RunConfig) -> set[str]:
    """Return the keys that may be numbers in one run and text in another."""
    groups = {entry.name: getattr(config, entry.name) for entry in fields(config)}
    return {
        f"{group}.{entry.name}"
        for group, node in groups.items()
        if hasattr(node, "__dataclass_fields__")
        for entry in fields(node)
        if entry.type is Any
    }


def to_hparam(value: Any) -> HParam:
    """Return a value of a type that TensorBoard accepts; lists as in labels."""
    if isinstance(value, bool | int | float):
        return value
    return short_value(value)


def group_name(config: RunConfig, swept: Mapping[str, str]) -> str:
    """Return the name that runs share which differ in seed and fold only: a label and a hash."""
    flat = flatten_config(config_to_dict(config))
    setting = {key: value for key, value in flat.items() if key not in REPLICATE_KEYS}
    digest = sha256(json.dumps(setting, sort_keys=True).encode()).hexdigest()[:4]
    shown = {key: text for key, text in swept.items() if key not in REPLICATE_KEYS}
    return f"{label(shown) or config.model.name.value} #{digest}"

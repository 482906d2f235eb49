"""Load configurations in tests."""

from typing import Any

import pytest

from csvision.config import schema
from csvision.config.baseline_schema import RunConfig
from csvision.config.compose import load_config
from csvision.errors import ConfigError

REQUIRED = {
    "data=csv": ["data.csv=digits.csv"],
    "model=custom": ["model.path=my_net.py:MyNet", "model.kwargs.width=64"],
}
"""The keys without a default that a choice needs."""


def load(*overrides: str) -> schema.TrainConfig:
    """Return the training configuration of a command line."""
    config: schema.TrainConfig = load_config("train", overrides)
    return config


def load_choice(choice: str, *overrides: str) -> RunConfig:
    """Return the configuration of a choice GROUP=NAME with the keys that it needs."""
    command = "baseline" if choice.startswith("baseline=") else "train"
    config: RunConfig = load_config(command, [choice, *REQUIRED.get(choice, []), *overrides])
    return config


def load_errors(*overrides: str) -> list[str]:
    """Return the messages with which an invalid command line is rejected."""
    with pytest.raises(ConfigError) as raised:
        load(*overrides)
    return raised.value.messages


def get_value(config: Any, key: str) -> Any:
    """Return the value of a key such as model.stages.0.filters."""
    for part in key.split("."):
        config = config[int(part)] if part.isdigit() else getattr(config, part)
    return config


def set_value(config: Any, key: str, value: Any) -> None:
    """Set the value of a key without the type checks of composition."""
    parent, _, name = key.rpartition(".")
    node = get_value(config, parent) if parent else config
    if name.isdigit():
        node[int(name)] = value
    else:
        setattr(node, name, value)

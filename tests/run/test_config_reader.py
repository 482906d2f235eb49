"""Configurations that are read together equal those that are read one by one."""

import copy
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from csvision.config.compose import load_config
from csvision.config.schema import TrainConfig
from csvision.config.serialize import config_from_dict, config_to_dict
from csvision.run import config_reader
from csvision.run.config_reader import ConfigReader

CHOICES = {
    "model": ["model=mlp", "model=cnn", "model.hidden=[8]"],
    "optimizer": ["optimizer=sgd", "optimizer.lr=0.1", "optimizer=adam"],
    "scheduler": ["scheduler=step scheduler.gamma=2", "scheduler=none"],
    "seed": ["seed=1", "seed=2"],
    "epochs": ["epochs=3", "epochs=300"],
}

VALUES = [
    config_to_dict(load_config("train", words.split()))
    for each in CHOICES.values()
    for words in each
]


@pytest.mark.slow
@settings(deadline=None, max_examples=15)
@given(st.data())
def test_configurations_are_those_of_config_from_dict(data: st.DataObject) -> None:
    reader = ConfigReader()
    for _ in range(4):
        parts = data.draw(st.lists(st.sampled_from(VALUES), min_size=5, max_size=5))
        values = {**parts[0]}
        for name, part in zip(CHOICES, parts, strict=True):
            values[name] = part[name]
        assert outcome(reader.read, values) == outcome(config_from_dict, values)


def outcome(read: Callable[[Any], Any], values: dict[str, Any]) -> Any:
    """Return the configuration, or the message of the error."""
    try:
        return read(copy.deepcopy(values))
    except ValueError as error:
        return str(error)


def test_each_entry_is_converted_once(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[Any] = []

    def convert(values: dict[str, Any]) -> Any:
        calls.append(values)
        return config_from_dict(values)

    monkeypatch.setattr(config_reader, "config_from_dict", convert)
    monkeypatch.setattr(config_reader, "run_config_from_dict", convert)
    reader = ConfigReader()
    base = VALUES[0]
    for seed in range(5):
        for epochs in range(1, 5):
            config = reader.read(base | {"seed": seed, "epochs": epochs})
            assert isinstance(config, TrainConfig)
            assert (config.seed, config.epochs) == (seed, epochs)
    assert len(calls) == 1 + 4 + 3


@pytest.mark.parametrize("values", [None, {}, [], {"_target_": "os.system"}])
def test_other_values_are_refused_as_before(values: Any) -> None:
    reader = ConfigReader()
    reader.read(VALUES[0])
    with pytest.raises((TypeError, ValueError, KeyError, AttributeError)):
        reader.read(values)

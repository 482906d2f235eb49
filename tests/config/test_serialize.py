"""Configurations as plain values in files; nothing in a file names code to execute."""

import json
import sys
from collections.abc import Iterator
from dataclasses import fields
from functools import cache
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from csvision.config import schema
from csvision.config.serialize import (
    Difference,
    config_from_dict,
    config_to_dict,
    diff_configs,
    is_baseline,
    run_config_from_dict,
)
from csvision.legacy import ADDED_TOP_LEVEL_KEYS
from tests.config.configs import load, load_choice
from tests.config.strategies import printable
from tests.config.test_schema_registry import CHOICES

KEYS = [entry.name for entry in fields(schema.TrainConfig)]

REJECTED = (ValueError, TypeError, KeyError)
"""The errors that config_from_dict documents."""


@cache
def default_values() -> dict[str, Any]:
    """Return the plain values of the default configuration."""
    return config_to_dict(load())


@pytest.mark.slow
@pytest.mark.parametrize("choice", CHOICES)
def test_every_choice_survives_a_round_trip(choice: str) -> None:
    config = load_choice(choice)
    written = json.loads(json.dumps(config_to_dict(config)))
    restored = run_config_from_dict(written)
    assert restored == config
    # Equality is not enough: a StrEnum member equals its string.
    assert repr(restored) == repr(config)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"model": {"name": "knn"}}, True),
        ({"model": {"name": "cnn"}}, False),
        ({"model": {"name": ["knn"]}}, False),
        ({"model": "knn"}, False),
        ({}, False),
        ([], False),
    ],
)
def test_baseline_is_known_by_the_name_of_its_model(values: Any, expected: bool) -> None:
    assert is_baseline(values) is expected


def test_plain_values_are_strings_numbers_lists_and_dicts() -> None:
    allowed = {str, int, float, bool, type(None), list, dict}

    def walk(value: Any) -> Iterator[Any]:
        yield value
        if isinstance(value, list | dict):
            for item in value.values() if isinstance(value, dict) else value:
                yield from walk(item)

    assert {type(value) for value in walk(default_values())} <= allowed


@pytest.mark.slow
@given(text=printable)
@settings(max_examples=60, deadline=None)
@example("${oc.env:HOME}")
@example("\\${x}\\")
def test_any_text_survives_a_round_trip(text: str) -> None:
    # OmegaConf reads `???` as a missing value.
    text = text.replace("???", "")
    values = default_values() | {"output_dir": text}
    values["data"] = values["data"] | {"classes": [text, "b"]}
    config = config_from_dict(values)
    assert (config.output_dir, config.data.classes) == (text, [text, "b"])
    assert config_to_dict(config) == values


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("_target_", "os.system"),
        ("optimizer", {"_target_": "antigravity.fly", "name": "sgd"}),
        ("optimizer", {"name": "antigravity", "lr": 1.0, "weight_decay": 0.0}),
        ("optimizer", {"name": ["sgd"]}),
        ("optimizer", {}),
        ("optimizer", None),
        ("optimizer", []),
        ("optimizer", "sgd"),
        ("model", {"name": "custom", "path": 3, "kwargs": 3}),
        ("model", {"name": "custom", "path": 3, "arguments": 3}),
        ("model", {"name": "antigravity:Fly"}),
        ("model", None),
        ("scheduler", {"name": "none", "_target_": "antigravity.fly"}),
        ("scheduler", {"name": "cosine"}),
        ("debug", []),
        ("debug", None),
        ("data", 3),
        ("logger", {"name": "antigravity"}),
        (
            "accelerator",
            {
                "name": "cpu",
                "devices": 1,
                "precision": "32-true",
                "num_threads": "${antigravity:1}",
            },
        ),
        ("epochs", "???"),
        ("epochs", "many"),
        ("epochs", None),
        ("epochs", -1),
        ("seed", {"a": 1}),
    ],
)
def test_invalid_values_are_rejected_and_import_nothing(key: str, value: Any) -> None:
    before = set(sys.modules)
    with pytest.raises(REJECTED):
        config_from_dict(default_values() | {key: value})
    assert set(sys.modules) == before
    assert "antigravity" not in sys.modules


@pytest.mark.parametrize("stages", [None, 3, [3], [None], [{"_target_": "os.system"}], {"0": {}}])
def test_invalid_stages_are_rejected(stages: Any) -> None:
    values = default_values()
    with pytest.raises(REJECTED):
        config_from_dict(values | {"model": values["model"] | {"stages": stages}})


@pytest.mark.parametrize("values", [None, [], "text", 3, {}, {"data": None}])
def test_values_that_are_not_a_configuration_are_rejected(values: Any) -> None:
    with pytest.raises(REJECTED):
        config_from_dict(values)


@pytest.mark.parametrize("key", ADDED_TOP_LEVEL_KEYS)
def test_key_that_earlier_versions_did_not_have_gets_its_default(key: str) -> None:
    values = default_values()
    recorded = {name: value for name, value in values.items() if name != key}
    expected = config_from_dict(values | {key: ADDED_TOP_LEVEL_KEYS[key]})
    assert config_from_dict(recorded) == expected


@pytest.mark.parametrize("key", [key for key in KEYS if key not in ADDED_TOP_LEVEL_KEYS])
def test_missing_key_is_rejected_by_name(key: str) -> None:
    incomplete = {name: value for name, value in default_values().items() if name != key}
    with pytest.raises(REJECTED, match=key):
        config_from_dict(incomplete)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 300) | st.floats() | st.text(max_size=5),
    lambda children: (
        st.lists(children, max_size=3)
        | st.dictionaries(
            st.sampled_from(["name", "lr", "stages", "0", "filters"]), children, max_size=3
        )
    ),
    max_leaves=6,
)


@pytest.mark.slow
@given(key=st.sampled_from(KEYS), value=json_values)
@settings(max_examples=80, deadline=None)
def test_any_value_is_accepted_or_rejected(key: str, value: Any) -> None:
    try:
        config = config_from_dict(default_values() | {key: value})
    except REJECTED:
        return
    assert isinstance(config, schema.TrainConfig)
    assert config_from_dict(config_to_dict(config)) == config


class TestDiffConfigs:
    def test_is_empty_for_equal_configurations(self) -> None:
        assert diff_configs(default_values(), config_to_dict(load())) == []

    def test_names_each_key_with_both_values(self) -> None:
        now = config_to_dict(load("seed=7", "optimizer.lr=0.5", "model.hidden=[8]"))
        lines = [str(change) for change in diff_configs(default_values(), now)]
        assert len(lines) == 3
        for line, words in zip(
            lines,
            [
                ("model.hidden ", "[64]", "[8]"),
                ("optimizer.lr ", "0.003", "0.5"),
                ("seed ", "42", "7"),
            ],
            strict=True,
        ):
            key, before, after = words
            assert line.startswith(key)
            assert line.index(before) < line.index(after)

    def test_names_keys_of_one_configuration_only(self) -> None:
        assert len(diff_configs({"a": {"b": 1}}, {"a": {"c": 2}})) == 2
        assert diff_configs({"a": {}}, {"a": {"c": 2}}) == [Difference("a.c", None, 2)]

    def test_plain_values_have_no_key(self) -> None:
        (change,) = diff_configs(4, 8)
        assert str(change) == "was 4 and is 8"

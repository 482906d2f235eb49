"""Types of the values of a configuration that was made in Python or read from run.json."""

import copy
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from csvision.config import schema
from csvision.config.limits import MAX_STRING
from csvision.config.model_schema import Stage
from csvision.config.serialize import config_from_dict, config_to_dict
from csvision.config.validate import find_errors
from csvision.config.value_types import shorten_value
from tests.config.configs import load, set_value

DEFAULT = load("data.image_shape=[1,28,28]", "model.hidden=[8]", "optimizer=sgd")


def errors_of(key: str, value: Any) -> list[str]:
    config = copy.deepcopy(DEFAULT)
    set_value(config, key, value)
    return find_errors(config)


def leaf_keys(node: Any, prefix: str = "") -> Iterator[str]:
    """Yield the keys of all values and of the items of lists."""
    for entry in fields(node):
        name, value = f"{prefix}{entry.name}", getattr(node, entry.name)
        yield name
        items = enumerate(value) if isinstance(value, list) else ()
        yield from (f"{name}.{index}" for index, _ in items)
        nested = {name: value, **{f"{name}.{index}": item for index, item in items}}
        for key, item in nested.items():
            if is_dataclass(item):
                yield from leaf_keys(item, f"{key}.")


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("epochs", True, "epochs=True must be an integer, not bool"),
        ("epochs", 3.0, "epochs=3.0 must be an integer, not float"),
        ("epochs", "3", "epochs=3 must be an integer, not str"),
        ("seed", np.int64(3), "seed=3 must be an integer, not int64"),
        ("accelerator.num_threads", True, "accelerator.num_threads=True must be an integer or"),
        ("optimizer.lr", False, "optimizer.lr=False must be a number, not bool"),
        ("optimizer.lr", "0.1", "optimizer.lr=0.1 must be a number, not str"),
        ("quiet", 1, "quiet=1 must be true or false, not int"),
        ("output_dir", 3, "output_dir=3 must be text, not int"),
        ("model.hidden", (8,), "model.hidden=(8,) must be a list, not tuple"),
        ("model.hidden.0", True, "model.hidden.0=True must be an integer, not bool"),
        ("model.stages.0", {"filters": 3}, "model.stages.0={'filters': 3} must be a Stage"),
        ("model.stages.0.padding", True, "model.stages.0.padding=True must be an integer or text"),
        ("data.image_shape.1", None, "data.image_shape.1=None must be an integer"),
        ("logger.name", "tensorboard", "logger.name=tensorboard must be one of LoggerName.tens"),
        ("model", None, "model is null"),
        ("optimizer", 3, "optimizer=3 must be a OptimizerConfig, not int"),
    ],
)
def test_wrong_type_names_key_value_and_type(key: str, value: Any, message: str) -> None:
    (error,) = errors_of(key, value)
    assert error.startswith(message)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("optimizer.lr", 1),
        ("optimizer.lr", np.float64(0.1)),
        ("accelerator.num_threads", None),
        ("model.stages.0.padding", 2),
        ("model.stages.0.padding", "same"),
        ("model.stages.0", Stage()),
        ("data.classes", None),
    ],
)
def test_value_of_one_of_the_types_is_accepted(key: str, value: Any) -> None:
    assert errors_of(key, value) == []


@pytest.mark.parametrize("key", ["epochs", "seed", "batch_size"])
def test_bool_in_run_json_is_no_integer(key: str) -> None:
    with pytest.raises(ValueError, match="True"):
        config_from_dict(config_to_dict(DEFAULT) | {key: True})


def test_bool_in_a_group_of_run_json_is_no_integer() -> None:
    values = config_to_dict(DEFAULT)
    values["accelerator"]["num_threads"] = True
    with pytest.raises(ValueError, match="True"):
        config_from_dict(values)


def test_text_and_lists_have_a_largest_length() -> None:
    assert errors_of("output_dir", "x" * MAX_STRING) == []
    (error,) = errors_of("output_dir", "x" * (MAX_STRING + 1))
    assert error == "output_dir has 4097 characters; use at most 4096"
    (error,) = errors_of("model.hidden", [8] * 1001)
    assert error == "model.hidden has 1001 items; use at most 1000"
    (error,) = errors_of("data.classes", ["x" * 5000])
    assert error.startswith("data.classes.0 has 5000 characters")


def test_stages_have_a_largest_number_of_residual_blocks_together() -> None:
    assert errors_of("model.stages", [Stage(residual=500)] * 2) == []
    (error,) = errors_of("model.stages", [Stage(residual=500), Stage(residual=501)])
    assert error.startswith("model.stages: the stages have 1001 residual blocks in total")


def test_learning_rate_must_not_grow_without_limit() -> None:
    step = schema.StepConfig(schema.SchedulerName.step, step_size=2, gamma=1000.0)
    config = copy.deepcopy(DEFAULT)
    config.scheduler, config.optimizer.lr = step, 1.0
    # The rate changes after epochs 2, 4, ..., ten times in 21 and 22 epochs.
    for epochs, errors in ((22, 0), (23, 1)):
        config.epochs = epochs
        found = find_errors(config)
        assert len(found) == errors
        assert all(line.startswith("scheduler.gamma=1000.0 would raise") for line in found)


def test_long_value_is_shortened() -> None:
    assert shorten_value("x" * 80) == "x" * 80
    assert shorten_value("x" * 81) == "x" * 80 + "..."
    assert shorten_value(10**5000) == "(thousands of digits)"


def huge(exponent: int) -> int:
    return int(10 ** (1000 * exponent))


anything = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    # Python does not print integers of over 4,300 digits.
    | st.integers(0, 5).map(huge)
    | st.floats()
    | st.text(max_size=5)
    | st.builds(Stage, padding=st.just("same"), stride=st.integers(4, 5).map(huge))
    | st.builds(Stage, padding=st.integers() | st.text(max_size=3), residual=st.integers()),
    lambda children: st.lists(children, max_size=4) | st.tuples(children),
    max_leaves=5,
)


@pytest.mark.slow
@given(key=st.sampled_from([*leaf_keys(DEFAULT)]), value=anything)
@settings(max_examples=400, deadline=None)
def test_any_value_is_accepted_or_reported_in_short_lines(key: str, value: Any) -> None:
    for error in errors_of(key, value):
        assert error.startswith(key.partition(".")[0])
        assert len(error) < 400

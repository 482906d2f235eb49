"""Compose conf/ and overrides: values, precedence, errors reported together."""

from pathlib import Path
from typing import Any

import pytest
from hydra import compose as hydra_compose
from hydra import initialize_config_dir
from hydra.core.global_hydra import GlobalHydra
from hydra.core.utils import JobRuntime

from csvision.config import command_schema, model_schema, schema
from csvision.config.compose import compose_config, conf_dir, load_config, to_dataclass
from csvision.config.model_schema import GlobalPool, PaddingMode, Stage
from csvision.config.schema_registry import COMMAND_SCHEMAS
from tests.config.configs import get_value, load, load_errors
from tests.conftest import ROOT


def test_conf_dir_is_conf_of_the_checkout() -> None:
    assert conf_dir().samefile(ROOT / "conf")


def test_load_config_is_compose_config_and_to_dataclass() -> None:
    composed = compose_config("train", ["seed=5", "model=mlp"])
    assert to_dataclass(composed) == load_config("train", ["seed=5", "model=mlp"])


@pytest.mark.parametrize("command", ["evaluate", "predict"])
def test_commands_on_a_run_compose_and_load(command: str) -> None:
    config = load_config(command, ["run=outputs/run", "data.csv=digits.csv"])
    assert (config.run, config.data.csv) == ("outputs/run", "digits.csv")
    assert config.model.path is None
    assert config.device is schema.AcceleratorName.auto
    assert config.quiet is False
    assert type(config) is COMMAND_SCHEMAS[command]


@pytest.mark.parametrize("command", ["resume", "reproduce"])
def test_commands_that_train_a_run_again_compose_and_load(command: str) -> None:
    config = load_config(command, ["run=outputs/run", "model.path=my_net.py:MyNet"])
    assert (config.run, config.model.path) == ("outputs/run", "my_net.py:MyNet")
    assert type(config) is COMMAND_SCHEMAS[command]


def test_inspect_data_composes_and_loads() -> None:
    config = load_config("inspect_data", ["data.csv=digits.csv"])
    assert type(config) is command_schema.InspectDataConfig
    assert (config.data.csv, config.data.name) == ("digits.csv", schema.DataName.csv)


def test_experiment_selects_choices_and_sets_values() -> None:
    config = load("experiment=notebook_cnn")
    assert (config.batch_size, config.data.val_size, config.optimizer.lr) == (32, 0.0, 0.1)
    assert config.optimizer.name is schema.OptimizerName.sgd
    assert config.scheduler.name is schema.SchedulerName.none


def test_command_line_overrides_an_experiment() -> None:
    config = load("experiment=notebook_mlp", "model=cnn", "optimizer.lr=0.5", "seed=7")
    assert isinstance(config.model, model_schema.CNNConfig)
    assert (config.optimizer.lr, config.seed, config.batch_size) == (0.5, 7, 32)


@pytest.mark.parametrize(
    ("choice", "expected"),
    [
        ("fast", {"debug.limit_rows": 128, "debug.profile": False, "epochs": 1}),
        (
            "overfit",
            {
                "debug.limit_rows": 64,
                "debug.profile": False,
                "epochs": 100,
                "data.val_size": 0,
            },
        ),
        ("profile", {"debug.limit_rows": None, "debug.profile": True, "epochs": 1}),
        ("none", {"debug.limit_rows": None, "debug.profile": False}),
    ],
)
def test_debug_choice_sets_its_values(choice: str, expected: dict[str, Any]) -> None:
    config = load(f"debug={choice}")
    assert {key: get_value(config, key) for key in expected} == expected


@pytest.mark.slow
@pytest.mark.parametrize(
    ("override", "key", "value"),
    [
        ("seed=0", "seed", 0),
        ("optimizer.lr=1", "optimizer.lr", 1.0),
        ("model.hidden=[]", "model.hidden", []),
        ("model.hidden=[128,32]", "model.hidden", [128, 32]),
        ("model.hidden.0=5", "model.hidden", [5]),
        ("model.global_pool=avg", "model.global_pool", GlobalPool.avg),
        ("model.global_pool=none", "model.global_pool", GlobalPool.none),
        ("model.stages.1.pool_stride=3", "model.stages.1.pool_stride", 3),
        ("model.stages.0.padding=2", "model.stages.0.padding", 2),
        ("model.stages.0.padding=same", "model.stages.0.padding", "same"),
        (
            "model.stages.0.padding_mode=reflect",
            "model.stages.0.padding_mode",
            PaddingMode.reflect,
        ),
        ("data.image_shape=[3,4,5]", "data.image_shape", [3, 4, 5]),
        ("data.cache=none", "data.cache", "none"),
        ("debug.limit_rows=null", "debug.limit_rows", None),
    ],
)
def test_override_sets_a_value_of_the_declared_type(override: str, key: str, value: Any) -> None:
    found = get_value(load(override), key)
    assert found == value
    assert type(found) is type(value)


def test_one_stage_is_edited_by_its_index() -> None:
    config = load("model.stages.0.filters=8", "model.stages.1.kernel_size=5")
    assert isinstance(config.model, model_schema.CNNConfig)
    assert config.model.stages == [Stage(filters=8), Stage(filters=64, kernel_size=5)]


def test_whole_list_changes_the_number_of_stages() -> None:
    config = load("model.stages=[{filters: 4},{filters: 5, padding: valid},{}]")
    assert isinstance(config.model, model_schema.CNNConfig)
    assert config.model.stages == [Stage(filters=4), Stage(filters=5, padding="valid"), Stage()]


def test_kwargs_of_a_custom_network_need_no_plus() -> None:
    config = load(
        "model=custom",
        "model.path=my_net.py:MyNet",
        "model.kwargs.width=64",
        "model.kwargs.names=[a,b]",
        "model.kwargs.deep.er=null",
        "+model.kwargs.plus=true",
    )
    assert isinstance(config.model, model_schema.CustomModelConfig)
    assert config.model.kwargs == {
        "width": 64,
        "names": ["a", "b"],
        "deep": {"er": None},
        "plus": True,
    }


def test_kwargs_of_a_custom_network_do_not_leak_into_the_next_configuration() -> None:
    load("model=custom", "model.path=my_net.py:MyNet", "model.kwargs.width=64")
    config = load("model=custom", "model.path=my_net.py:MyNet")
    assert isinstance(config.model, model_schema.CustomModelConfig)
    assert config.model.kwargs == {}


def test_missing_and_unknown_keys_are_reported_together() -> None:
    messages = load_errors("data=csv", "model=custom", "+foo=1", "+data.bar=2")
    starts = ["foo: unknown", "data.bar: unknown", "data.csv is missing", "model.path is missing"]
    assert len(messages) == len(starts)
    for message, start in zip(messages, starts, strict=True):
        assert message.startswith(start)


def test_invalid_values_are_reported_together() -> None:
    messages = load_errors("scheduler.name=step", "epochs=0", "batch_size=0")
    starts = ["scheduler.name=step ", "epochs=0 ", "batch_size=0 "]
    assert len(messages) == len(starts)
    for message, start in zip(messages, starts, strict=True):
        assert message.startswith(start)


@pytest.mark.parametrize(
    ("override", "key", "example"),
    [
        ("data=csv", "data.csv", "FILE"),
        ("model=custom", "model.path", "FILE.py:CLASS"),
        ("~seed", "seed", "VALUE"),
        ("~scheduler", "scheduler", "CHOICE"),
    ],
)
def test_missing_value_is_named_by_its_key(override: str, key: str, example: str) -> None:
    (message,) = load_errors(override)
    assert message.startswith(f"{key} is missing")
    assert f"write {key}={example}" in message


@pytest.mark.parametrize(
    ("group", "name"), [("model", "mlp"), ("optimizer", "sgd"), ("scheduler", "cosine")]
)
def test_name_of_another_choice_is_rejected(group: str, name: str) -> None:
    (message,) = load_errors(f"{group}.name={name}")
    assert message.startswith(f"{group}.name={name} ")
    assert message.endswith(f"write {group}={name}")


class TestHydraState:
    def test_is_cleared_after_composition(self) -> None:
        assert not GlobalHydra.instance().is_initialized()
        compose_config("train", [])
        assert not GlobalHydra.instance().is_initialized()
        load_errors("model=cnnn")
        assert not GlobalHydra.instance().is_initialized()

    def test_of_an_outer_hydra_program_is_restored(self, tmp_path: Path) -> None:
        (tmp_path / "other.yaml").write_text("greeting: hello\n", encoding="utf-8")
        with initialize_config_dir(str(tmp_path), "another_job", version_base="1.3"):
            outer = GlobalHydra.instance().hydra
            assert outer is not None
            assert load("model=mlp").model.name is model_schema.ModelName.mlp
            load_errors("model=cnnn")
            assert GlobalHydra.instance().hydra is outer
            assert JobRuntime.instance().get("name") == "another_job"
            assert hydra_compose("other").greeting == "hello"

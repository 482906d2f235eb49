"""One-line messages for errors of Hydra and OmegaConf."""

import re
from pathlib import Path

import pytest

from csvision.config.compose import load_config
from csvision.errors import ConfigError
from csvision.legacy import RENAMED_KEYS
from tests.config.configs import load_errors


def suggestion(message: str) -> str | None:
    """Return the key after "did you mean"; None without a suggestion."""
    match = re.search(r"did you mean (\S+)\?", message)
    return match[1] if match else None


@pytest.mark.parametrize(
    ("override", "key", "suggested"),
    [
        ("optimizer.lrr=1", "optimizer.lrr", "optimizer.lr"),
        ("optimzer.lr=1", "optimzer.lr", "optimizer.lr"),
        ("modle=cnn", "modle", "model"),
        ("epoch=3", "epoch", "epochs"),
        ("nothing.like.it=3", "nothing.like.it", None),
        ("model.stages.1.filter=3", "model.stages.1.filter", "model.stages.1.filters"),
        ("optimizer={lrr: 1}", "optimizer.lrr", "optimizer.lr"),
        ("model.stages=[{filter: 3}]", "model.stages.filter", "model.stages.filters"),
        ("+epoch=3", "epoch", "epochs"),
        ("+optimizer.lrr=1", "optimizer.lrr", "optimizer.lr"),
        ("++optimizer.foo=1", "optimizer.foo", None),
        ("+model.stages.0.foo=3", "model.stages.0.foo", None),
    ],
)
def test_unknown_key_suggests_a_similar_key(override: str, key: str, suggested: str | None) -> None:
    (message,) = load_errors(override)
    assert message.startswith(f"{key}: unknown key")
    assert suggestion(message) == suggested
    assert "--help" in message


@pytest.mark.parametrize(
    ("override", "key", "choice"),
    [
        ("model.path=x.py:X", "model.path", "model=custom"),
        ("+model.kwargs.a=1", "model.kwargs", "model=custom"),
        ("optimizer.momentum=0.9", "optimizer.momentum", "optimizer=sgd"),
        ("scheduler.gamma=0.9", "scheduler.gamma", "scheduler=step"),
    ],
)
def test_key_of_another_choice_names_the_choice(override: str, key: str, choice: str) -> None:
    (message,) = load_errors(override)
    assert message.startswith(f"{key}: unknown key")
    assert f"belongs to {choice};" in message
    assert suggestion(message) is None


@pytest.mark.slow
@pytest.mark.parametrize("plus", ["", "+"])
@pytest.mark.parametrize(("old", "new"), RENAMED_KEYS.items())
def test_renamed_key_names_its_new_name(old: str, new: str, plus: str) -> None:
    (message,) = load_errors(f"{plus}{old}=1")
    assert message.startswith(f"{old}: unknown key")
    assert f"it is now {new};" in message
    assert suggestion(message) is None


@pytest.mark.parametrize(
    ("override", "reason"),
    [
        ("optimizer.lr=fast", "a number"),
        ("epochs=1.5", "an integer"),
        ("seed=null", "not Optional"),
        ("model.global_pool=flat", "one of none, avg, max"),
        ("model.stages.0.padding=1.5", "Union[int, str]"),
    ],
)
def test_value_of_a_wrong_type_names_key_value_and_type(override: str, reason: str) -> None:
    (message,) = load_errors(override)
    assert message.startswith(override)
    assert reason in message


@pytest.mark.parametrize(
    ("override", "choices"),
    [
        ("model=cnnn", ["cnn", "custom", "mlp"]),
        ("debug=slow", ["fast", "none", "overfit", "profile"]),
    ],
)
def test_unknown_choice_lists_valid_choices(override: str, choices: list[str]) -> None:
    (message,) = load_errors(override)
    assert message.startswith(f"{override}: unknown choice")
    assert message.endswith(f"choose from {', '.join(choices)}")


def test_stage_that_does_not_exist_is_named_by_its_index() -> None:
    (message,) = load_errors("model.stages.2.filters=3")
    assert message.startswith("model.stages.2: ")
    assert "whole list" in message


def test_several_values_without_multirun_suggest_a_sweep_or_a_list() -> None:
    (message,) = load_errors("seed=1,2")
    assert "'seed=1,2'" in message
    assert "-m " in message
    assert "[...]" in message


def test_argument_without_key_is_named() -> None:
    (message,) = load_errors("epochs")
    assert message == "epochs: the key is missing; write KEY=epochs"


def test_path_without_key_is_given_the_key_of_a_run_or_a_file(working_folder: Path) -> None:
    for name in ("run/run.json", "sweep/sweep.json", "folder/text", "my.csv"):
        (working_folder / name).parent.mkdir(exist_ok=True)
        (working_folder / name).touch()
    keys = {"run": "run", "sweep": "run", "my.csv": "data.csv", "folder": "KEY", "a" * 300: "KEY"}
    for path, key in keys.items():
        assert load_errors(path) == [f"{path}: the key is missing; write {key}={path}"]


@pytest.mark.parametrize("key", ["seed", "model.stages"])
def test_interpolation_of_an_unknown_key_names_both_keys(key: str) -> None:
    (message,) = load_errors(f"{key}=${{foo}}")
    assert message.startswith(f"{key}: ")
    assert "'foo' not found" in message


@pytest.mark.parametrize(
    ("override", "value", "range_"),
    [
        ("optimizer.lr=-1", "-1.0", "> 0 and <= 1e+30"),
        ("optimizer.lr=nan", "nan", "> 0 and <= 1e+30"),
    ],
)
def test_value_out_of_range_names_key_value_and_range(
    override: str, value: str, range_: str
) -> None:
    (message,) = load_errors(override)
    assert message.startswith(f"optimizer.lr={value} ")
    assert message.endswith(range_)


@pytest.mark.parametrize("override", ["optimizer=null", "=3", "model.stages.x.filters=3"])
def test_builtin_errors_of_hydra_become_one_line(override: str) -> None:
    (message,) = load_errors(override)
    assert message
    assert "\n" not in message


@pytest.mark.parametrize(
    ("override", "advice"),
    [
        ("early_stopping=2", "early_stopping.patience=2"),
        ("early_stopping=0.5", "early_stopping.min_delta=0.5"),
        ("ema=0.999", "ema.decay=0.999"),
        ("loss=0.1", "loss.label_smoothing=0.1"),
        ("transform=my.py:Net", "transform.path=my.py:Net"),
        ("metric=x", "metric.path, metric.kwargs, metric.mode"),
    ],
)
def test_value_of_a_group_without_choices_names_its_key(override: str, advice: str) -> None:
    (message,) = load_errors(override)
    assert message.startswith(f"{override}: {override.partition('=')[0]} has keys of its own; ")
    assert message.endswith(f" {advice}")


@pytest.mark.parametrize("override", ["accelerator=3", "optimizer=0.1", "model=null", "debug=true"])
def test_choice_that_is_no_text_is_named(override: str) -> None:
    with pytest.raises(ConfigError) as raised:
        load_config("train", [override])
    (message,) = raised.value.messages
    assert message.startswith(f"{override}: unknown choice; choose from ")


def test_key_of_other_commands_names_these() -> None:
    (message,) = load_errors("run=outputs/runs/DIR")
    assert message.startswith("run: unknown key; it is a key of resume, ")
    assert "init_from=DIR" in message


def test_group_of_another_command_is_no_choice() -> None:
    with pytest.raises(ConfigError, match="data: unknown key, as this command has no choice of d"):
        load_config("predict", ["run=outputs/runs/DIR", "data=csv"])

"""What --help says: every group with its choices, every key with its meaning and value."""

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from omegaconf import OmegaConf

from csvision import config
from csvision.command_line.help import help_text
from csvision.errors import ConfigError

ROOT = Path(__file__).parents[2]


def keys_shown(text: str) -> dict[str, tuple[str, str]]:
    """Value and meaning of each key of a help text."""
    lines = re.findall(r"^    ([\w.]+)=(.*?)  +(\S.*)$", text, re.MULTILINE)
    return {name: (value, meaning) for name, value, meaning in lines}


def flat(node: Any, prefix: str = "") -> set[str]:
    """The keys of a configuration, with the values that are lists or plain."""
    if not isinstance(node, dict) or not node:
        return {prefix.rstrip(".")}
    return {name for key, value in node.items() for name in flat(value, f"{prefix}{key}.")}


def test_lists_every_group_with_every_choice() -> None:
    lines = dict(re.findall(r"^    (\w+)=([\w|]+)$", help_text("train", []), re.MULTILINE))
    groups = [path for path in (ROOT / "conf").iterdir() if path.is_dir()]
    assert set(lines) == {group.name for group in groups}
    for group in groups:
        assert lines[group.name].split("|") == sorted(path.stem for path in group.iterdir())
    assert lines["model"] == "cnn|custom|mlp"


@pytest.mark.parametrize("command", ["train", "evaluate", "predict"])
@pytest.mark.parametrize(
    "overrides", [[], ["model=mlp", "optimizer=sgd", "scheduler=step"]], ids=str
)
def test_lists_every_key_with_its_meaning(command: str, overrides: list[str]) -> None:
    if command != "train":
        overrides = []
    composed = OmegaConf.to_container(config.compose(command, overrides))
    shown = keys_shown(help_text(command, overrides))
    assert flat(composed) <= set(shown)
    assert all(meaning for _, meaning in shown.values())
    assert len({meaning for _, meaning in shown.values()}) > len(shown) / 2


def test_takes_the_choices_on_the_command_line_into_account() -> None:
    cnn, mlp = (keys_shown(help_text("train", [f"model={name}"])) for name in ("cnn", "mlp"))
    assert mlp["model.hidden"] == ("[128,64]", "units of each hidden layer")
    assert cnn["model.stages.N.filters"] == ("32", "feature maps that the convolution makes")
    assert not [name for name in mlp if name.startswith("model.stages")]
    custom = keys_shown(help_text("train", ["model=custom"]))
    assert custom["model.path"][0] == "???"
    assert keys_shown(help_text("train", ["optimizer=sgd"]))["optimizer.nesterov"][0] == "false"


def test_shows_the_values_on_the_command_line() -> None:
    keys = keys_shown(help_text("train", ["seed=7", "data=csv", "data.csv='my file.csv'"]))
    assert keys["seed"][0] == "7"
    assert keys["data.csv"][0] == "my file.csv"
    assert keys["data.test_csv"][0] == "null"


def test_leaves_the_values_of_a_sweep_out() -> None:
    keys = keys_shown(help_text("train", ["-m", "model=mlp", "seed=0,1"]))
    assert keys["seed"][0] == "42"
    assert "model.stages" not in keys


def test_of_evaluation_has_no_groups_and_asks_for_the_run() -> None:
    text = help_text("evaluate", [])
    assert "Groups" not in text
    assert keys_shown(text)["run"] == ("???", "the run directory")


def test_names_the_values_that_a_key_can_have() -> None:
    _, meaning = keys_shown(help_text("train", []))["accelerator.precision"]
    assert "bf16-mixed" in meaning


def test_of_a_choice_that_there_is_not_says_what_there_is() -> None:
    with pytest.raises(
        ConfigError, match=r"model=rnn: there is none; choose from cnn, custom, mlp"
    ):
        help_text("train", ["model=rnn"])


@pytest.mark.parametrize("option", ["--help", "-h"])
def test_is_printed_in_place_of_hydras(option: str) -> None:
    script = ROOT / "scripts" / "train.py"
    result = subprocess.run(
        [sys.executable, script, "model=mlp", option], capture_output=True, text=True, check=False
    )
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout == help_text("train", ["model=mlp"]) + "\n"
    assert os.listdir() == []  # noqa: PTH208

"""The texts of --help: all commands, groups and keys with their help and current values."""

import re
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import pytest
from omegaconf import OmegaConf

from csvision.cli import commands
from csvision.cli.commands import (
    BUILT_IN,
    ENTRY_POINTS,
    command_names,
    find_command,
    list_commands,
)
from csvision.cli.help import command_help, overview
from csvision.config.compose import compose_config
from csvision.errors import ConfigError
from tests.cli.conftest import RunCommand
from tests.conftest import ROOT


def help_of(command: str, *arguments: str) -> str:
    """Return the help for a command."""
    return command_help(find_command(command), arguments)


def keys_in(text: str) -> dict[str, tuple[str, str]]:
    """Return value and help of each key in a text."""
    lines = re.findall(r"^    ([\w.]+)=(.*?)  +(\S.*)$", text, re.MULTILINE)
    return {name: (value, help) for name, value, help in lines}


def groups_in(text: str) -> dict[str, str]:
    """Return the choices of each group in a text."""
    return dict(re.findall(r"^    (\w+)=([\w|]+)$", text, re.MULTILINE))


def flat_keys(node: Any, prefix: str = "") -> set[str]:
    """Return the dotted keys of all values that are not dictionaries."""
    if not isinstance(node, dict) or not node:
        return {prefix.rstrip(".")}
    return {name for key, value in node.items() for name in flat_keys(value, f"{prefix}{key}.")}


def test_overview_lists_each_command_with_its_description(csvision_command: RunCommand) -> None:
    outputs = [csvision_command(*arguments) for arguments in ((), ("--help",), ("-h",))]
    assert len({output.out for output in outputs}) == 1
    assert {(output.code, output.err) for output in outputs} == {(0, "")}
    text = outputs[0].out
    for command in BUILT_IN:
        assert re.search(rf"^    {command.name}  +{re.escape(command.description)}$", text, re.M)
    # csvision_claims adds its command by an entry point.
    assert re.search(r"^    claims  +\S", text, re.M)


def test_overview_aligns_descriptions() -> None:
    assert "    b    Two\n    abc  One" in overview([("b", "Two"), ("abc", "One")])


def test_broken_package_is_listed_with_its_error(monkeypatch: pytest.MonkeyPatch) -> None:
    broken = EntryPoint("broken", "no_such_package:COMMAND", ENTRY_POINTS)
    monkeypatch.setattr(commands, "entry_points", lambda **_: [broken])
    name, description = list_commands()[-1]
    assert name == "broken"
    assert "no_such_package" in description


@pytest.mark.slow
@pytest.mark.parametrize("name", command_names())
def test_help_of_each_command_shows_its_usage_and_keys(name: str) -> None:
    find_command(name).register()
    text = help_of(name)
    assert text.splitlines()[0] == find_command(name).description
    assert f"csvision {name} " in text
    config_name = find_command(name).config_name
    composed = OmegaConf.to_container(compose_config(config_name, []))
    assert flat_keys(composed) <= set(keys_in(text))


def test_lists_each_group_with_each_choice() -> None:
    lines = groups_in(help_of("train"))
    groups = [path for path in (ROOT / "conf").iterdir() if path.is_dir()]
    assert set(lines) == {group.name for group in groups} - {"baseline"}
    lines |= groups_in(help_of("baseline"))
    for group in groups:
        assert lines[group.name].split("|") == sorted(path.stem for path in group.iterdir())
    assert lines["model"] == "cnn|custom|mlp"


@pytest.mark.parametrize(
    ("command", "groups"),
    [
        ("explain", {"data", "model"}),
        ("baseline", {"baseline", "data", "logger"}),
        ("inspect-data", {"data"}),
        ("evaluate", set()),
    ],
)
def test_lists_only_the_groups_of_the_command(command: str, groups: set[str]) -> None:
    assert set(groups_in(help_of(command))) == groups


@pytest.mark.slow
@pytest.mark.parametrize(
    "overrides", [[], ["model=mlp", "optimizer=sgd", "scheduler=step"]], ids=str
)
def test_lists_each_key_with_its_help(overrides: list[str]) -> None:
    composed = OmegaConf.to_container(compose_config("train", overrides))
    keys = keys_in(help_of("train", *overrides))
    assert flat_keys(composed) <= set(keys)
    helps = [help for _, help in keys.values()]
    assert all(helps)
    assert len(set(helps)) > len(keys) / 2


@pytest.mark.slow
def test_shows_the_keys_of_the_choices_on_the_command_line() -> None:
    cnn, mlp = (keys_in(help_of("train", f"model={name}")) for name in ("cnn", "mlp"))
    assert mlp["model.hidden"][0] == "[128,64]"
    assert cnn["model.stages.N.filters"][0] == "32"
    assert not [name for name in mlp if name.startswith("model.stages")]
    assert keys_in(help_of("train", "model=custom"))["model.path"][0] == "???"
    assert keys_in(help_of("train", "optimizer=sgd"))["optimizer.nesterov"][0] == "false"


def test_shows_the_values_on_the_command_line() -> None:
    keys = keys_in(help_of("train", "seed=7", "data=csv", "data.csv='my file.csv'"))
    assert keys["seed"][0] == "7"
    assert keys["data.csv"][0] == "my file.csv"
    assert keys["data.test_csv"][0] == "null"


def test_finds_choices_in_the_config_dir(working_folder: Path) -> None:
    folder = working_folder / "my conf, 1"
    (folder / "model").mkdir(parents=True)
    text = "defaults:\n  - mlp\nhidden: [7]\n"
    (folder / "model" / "tiny.yaml").write_text(text, encoding="utf-8")
    for option in (["--config-dir", str(folder)], [f"--config-dir={folder}"]):
        assert keys_in(help_of("train", "model=tiny", *option))["model.hidden"][0] == "[7]"


def test_ignores_swept_values() -> None:
    keys = keys_in(help_of("train", "-m", "model=mlp", "seed=0,1"))
    assert keys["seed"][0] == "42"
    assert "model.stages" not in keys


def test_other_commands_have_no_groups_and_require_their_keys() -> None:
    text = help_of("evaluate")
    assert "Groups" not in text
    assert keys_in(text)["run"][0] == "???"
    assert "null" in keys_in(text)["data.csv"][1]


def test_predict_does_not_offer_null_for_its_file() -> None:
    value, help = keys_in(help_of("predict"))["data.csv"]
    assert value == "???"
    assert "null" not in help


def test_names_the_values_of_a_key_with_choices() -> None:
    assert "bf16-mixed" in keys_in(help_of("train"))["accelerator.precision"][1]


def test_unknown_choice_lists_valid_choices() -> None:
    with pytest.raises(ConfigError, match=r"model=rnn: .*cnn, custom, mlp"):
        help_of("train", "model=rnn")


@pytest.mark.slow
@pytest.mark.parametrize("option", ["--help", "-h"])
def test_replaces_the_help_of_hydra(
    option: str, csvision_command: RunCommand, working_folder: Path
) -> None:
    output = csvision_command("train", "model=mlp", option)
    assert (output.code, output.err) == (0, "")
    assert output.out == help_of("train", "model=mlp") + "\n"
    assert list(working_folder.iterdir()) == []

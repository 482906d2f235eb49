"""The files in conf/ against the dataclasses of commands and groups."""

from pathlib import Path

import pytest

from csvision.config import schema
from csvision.config.baseline_schema import BaselineConfig
from csvision.config.schema_registry import COMMAND_SCHEMAS, GROUP_SCHEMAS
from tests.config.configs import load_choice
from tests.conftest import ROOT

CONF = ROOT / "conf"
CHOICES = sorted(f"{path.parent.name}={path.stem}" for path in CONF.glob("*/*.yaml"))


def read_conf() -> dict[Path, str]:
    """Return the text of each file in conf/."""
    return {path: path.read_text(encoding="utf-8") for path in CONF.rglob("*.yaml")}


def test_folders_of_conf_are_the_groups() -> None:
    folders = {path.name for path in CONF.iterdir() if path.is_dir()}
    assert folders == {*GROUP_SCHEMAS, "experiment"}


def test_files_of_conf_are_the_commands() -> None:
    # The schema of claims belongs to csvision_claims; train and lr_find share training.
    others = {"claims", "training"}
    assert {path.stem for path in CONF.glob("*.yaml")} == {*COMMAND_SCHEMAS, *others}


@pytest.mark.parametrize("command", COMMAND_SCHEMAS)
def test_each_command_uses_its_schema(command: str) -> None:
    assert f"- /csvision/{command}@_here_\n" in read_conf()[CONF / f"{command}.yaml"]


def test_each_group_schema_is_used_in_conf() -> None:
    text = "".join(read_conf().values())
    for group, schemas in GROUP_SCHEMAS.items():
        # adam and adamw have the same keys, and so do their schemas.
        for name in schemas:
            # A choice that sets keys of other groups, too, names its own group.
            schema = f"- /csvision/{group}/{name}@"
            assert f"{schema}_here_\n" in text or f"{schema}{group}\n" in text


@pytest.mark.parametrize("choice", CHOICES)
def test_every_choice_composes_and_loads(choice: str) -> None:
    group, _, name = choice.partition("=")
    config = load_choice(choice)
    assert isinstance(config, BaselineConfig if group == "baseline" else schema.TrainConfig)
    # The other groups have no key `name`.
    if group not in ("augmentation", "debug", "experiment"):
        assert getattr(config, group).name == name
        schemas = GROUP_SCHEMAS[group]
        expected = schemas[name] if len(schemas) > 1 else next(iter(schemas.values()))
        assert type(getattr(config, group)) is expected

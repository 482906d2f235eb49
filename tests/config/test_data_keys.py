"""Keys of data that take several types: header, pixel_range and classes."""

from typing import Any

import pytest

from csvision.config.compose import load_config
from csvision.config.pixel_range import parse_pixel_range
from csvision.config.serialize import config_from_dict, config_to_dict
from csvision.errors import ConfigError
from tests.config.configs import load, load_errors

OWN_FILE = ("data=csv", "data.csv=digits.csv")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("override", "key", "value"),
    [
        ("data.header=true", "header", True),
        ("data.header=false", "header", False),
        ("data.header=auto", "header", "auto"),
        ("data.pixel_range=auto", "pixel_range", "auto"),
        ("data.pixel_range=16", "pixel_range", 16),
        ("data.pixel_range=[-1,1]", "pixel_range", [-1, 1]),
        ("data.pixel_range=[-0.5,2.5]", "pixel_range", [-0.5, 2.5]),
        ("data.ignore=[id]", "ignore", ["id"]),
        ("data.ignore=[0,id]", "ignore", ["0", "id"]),
        ("data.transpose=true", "transpose", True),
        ("data.labels_csv=my labels.csv", "labels_csv", "my labels.csv"),
        ("data.classes=[cat,dog]", "classes", ["cat", "dog"]),
        ("data.classes={circle: Kreis}", "classes", {"circle": "Kreis"}),
        ("data.classes={0: zero,1: one}", "classes", {0: "zero", 1: "one"}),
        ("data.classes=null", "classes", None),
    ],
)
def test_value_is_composed_and_survives_a_run_directory(
    override: str, key: str, value: Any
) -> None:
    config = load(*OWN_FILE, override)
    assert getattr(config.data, key) == value
    loaded = config_from_dict(config_to_dict(config))
    expected = (
        {str(name): text for name, text in value.items()}
        if key == "classes" and isinstance(value, dict)
        else value
    )
    assert getattr(loaded.data, key) == expected


@pytest.mark.parametrize(
    ("override", "key"),
    [
        ("data.header=maybe", "data.header=maybe"),
        ("data.header=1", "data.header=1"),
        ("data.header=null", "data.header"),
        ("data.pixel_range=white", "data.pixel_range=white"),
        ("data.pixel_range=0", "data.pixel_range=0"),
        ("data.pixel_range=-1", "data.pixel_range=-1"),
        ("data.pixel_range=[1,-1]", "data.pixel_range=[1, -1]"),
        ("data.pixel_range=[0,1,2]", "data.pixel_range=[0, 1, 2]"),
        ("data.pixel_range=[0,true]", "data.pixel_range="),
        ("data.pixel_range=.inf", "data.pixel_range="),
        ("data.pixel_range=null", "data.pixel_range"),
        ("data.classes=cat", "data.classes=cat"),
        ("data.classes=[[cat]]", "data.classes="),
        ("data.classes={cat: [1]}", "data.classes="),
        ("data.ignore=id", "data.ignore=id"),
        ("data.transpose=sideways", "data.transpose=sideways"),
    ],
)
def test_invalid_value_is_reported_with_its_key(override: str, key: str) -> None:
    (message,) = load_errors(*OWN_FILE, override)
    assert message.startswith(key)


def test_all_invalid_values_are_reported_together() -> None:
    messages = load_errors(*OWN_FILE, "data.header=no", "data.pixel_range=0", "data.classes=5")
    keys = {message.partition("=")[0] for message in messages}
    assert keys == {"data.header", "data.pixel_range", "data.classes"}


@pytest.mark.parametrize("command", ["evaluate", "predict"])
def test_range_of_another_file_is_validated(command: str) -> None:
    run = ("run=runs/1", "data.csv=new.csv")
    assert load_config(command, run).data.pixel_range == "auto"
    assert load_config(command, [*run, "data.pixel_range=16"]).data.pixel_range == 16
    with pytest.raises(ConfigError, match=r"^data\.pixel_range=dark must be"):
        load_config(command, [*run, "data.pixel_range=dark"])


def test_pixel_range_is_black_and_white() -> None:
    assert parse_pixel_range("auto") is None
    assert parse_pixel_range(16) == (0, 16)
    assert parse_pixel_range([-1, 1]) == (-1, 1)
    assert parse_pixel_range((0.5, 2)) == (0.5, 2)

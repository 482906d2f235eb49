"""Labels and names of folders: short, unambiguous, and safe on all file systems."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from csvision.config.labels import MAX_NAME, folder_name, label, short_keys, short_value
from csvision.config.resolvers import job_name, swept_keys


def test_names_say_what_differs() -> None:
    overrides = ["data=csv", "optimizer.lr=0.01", "model.stages=[{filters:16},{filters:16}]"]
    swept = ["optimizer.lr", "model.stages"]
    assert job_name(0, overrides, swept) == "0_lr=0.01_stages=2x16"
    values = dict(word.split("=", 1) for word in overrides[1:])
    assert label(values) == "lr=0.01 stages=2x16"


@pytest.mark.parametrize(
    ("keys", "names"),
    [
        (["model", "seed"], ["model", "seed"]),
        (["optimizer.lr", "data.fold"], ["lr", "fold"]),
        (["model.dropout", "model.stages.0.dropout"], ["model.dropout", "stages.0.dropout"]),
        (["model.stages.0.filters"], ["filters"]),
        (
            ["model.stages.0.filters", "model.stages.1.filters"],
            ["stages.0.filters", "stages.1.filters"],
        ),
        (["a.x", "b.x", "x"], ["a.x", "b.x", "x"]),
    ],
)
def test_keys_are_as_short_as_unambiguous(keys: list[str], names: list[str]) -> None:
    assert [*short_keys(keys).values()] == names


@pytest.mark.slow
@settings(deadline=None)
@given(st.lists(st.from_regex(r"[a-c0-2](\.[a-c0-2]){0,3}", fullmatch=True), unique=True))
def test_short_keys_are_unique(keys: list[str]) -> None:
    names = short_keys(keys)
    assert len(set(names.values())) == len(keys)
    assert all(key == name or key.endswith(f".{name}") for key, name in names.items())


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("0.01", "0.01"),
        ("True", "true"),
        ("null", "null"),
        ("[128,64]", "128,64"),
        ("[]", "none"),
        ("[T-shirt/top,Bag]", "T-shirt/top,Bag"),
        ("'/home/a b/train.csv'", "train.csv"),
        ("[{filters:8},{filters:16,stride:2,pool:none},{}]", "8,16(stride=2,pool=none),32"),
        ("[{filters:8,kernel_size:3},{filters:8}]", "2x8"),
        ("{a:1,b:[2,3]}", "a=1,b=2,3"),
        ("[0", "[0"),
        ("x" * 50, "x" * 29 + "..."),
        (None, "null"),
        (0.1 + 0.2, "0.3"),
        ([{"filters": 4}, {"filters": 4}], "2x4"),
    ],
)
def test_values_are_short(value: object, text: str) -> None:
    assert short_value(value) == text


@settings(deadline=None)
@given(
    st.integers(0, 10**4),
    st.dictionaries(st.text(min_size=1, max_size=60), st.text(max_size=200), max_size=6),
)
def test_folder_names_are_safe_and_bounded(number: int, values: dict[str, str]) -> None:
    name = folder_name(number, values)
    assert name.startswith(str(number))
    assert len(name) <= MAX_NAME
    assert re.fullmatch(r"[A-Za-z0-9._=+-]+", name)
    assert not name.endswith(".")


def test_long_names_that_differ_at_the_end_stay_different() -> None:
    keys = [f"group.key{index}" for index in range(20)]
    one, two = (dict.fromkeys(keys, value) for value in ("1", "1"))
    two[keys[-1]] = "2"
    assert folder_name(7, one) != folder_name(7, two)


def test_swept_keys_are_those_with_several_values_at_last() -> None:
    words = ["model=mlp,cnn", "seed=0,1", "epochs=3", "+model.kwargs.x=1,2", "seed=5", "a=range(3)"]
    assert swept_keys(words) == ["model", "model.kwargs.x", "a"]

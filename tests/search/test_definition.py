"""search.json: what it records, and what a damaged or hostile one can do."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

from csvision.config.search_schema import OptunaConfig, PrunerName, SearchName
from csvision.errors import RunError
from csvision.run.code_paths import CodePaths
from csvision.run.sweep_folder import SEARCH_RECORD
from csvision.search.definition import (
    SearchDefinition,
    UserPaths,
    read_definition,
    write_definition,
)

DEFINITION = SearchDefinition(
    OptunaConfig(SearchName.optuna, 30, 1, 0, PrunerName.median, 10, 1),
    {
        "optimizer.lr": FloatDistribution(1e-4, 0.1, log=True),
        "batch_size": IntDistribution(16, 64, step=16),
        "model": CategoricalDistribution(["mlp", "cnn"]),
    },
    ["epochs=3"],
    "val/f1",
    "maximize",
    3,
    "/somewhere",
)
PARAMS = {"optimizer.lr": 0.0123456789, "batch_size": 32, "model": "mlp"}


def test_written_definition_is_read_again(tmp_path: Path) -> None:
    write_definition(tmp_path, DEFINITION)
    assert read_definition(tmp_path) == DEFINITION


@pytest.mark.parametrize(
    ("metric", "direction"), [("val/acc", "maximize"), ("val/loss", "minimize")]
)
def test_search_of_an_earlier_version_is_read(tmp_path: Path, metric: str, direction: str) -> None:
    write_definition(tmp_path, DEFINITION)
    file = tmp_path / SEARCH_RECORD
    content = json.loads(file.read_text(encoding="utf-8"))
    del content["monitor"], content["direction"]
    content["settings"]["metric"] = metric
    file.write_text(json.dumps(content), encoding="utf-8")
    definition = read_definition(tmp_path)
    assert (definition.monitor, definition.direction) == (metric, direction)
    assert definition.settings == DEFINITION.settings


def test_trial_has_fixed_overrides_then_searched_values() -> None:
    assert DEFINITION.trial_overrides(PARAMS) == [
        "epochs=3",
        "optimizer.lr=0.0123457",
        "batch_size=32",
        "model=mlp",
    ]


def test_trial_has_no_search_and_paths_of_the_start() -> None:
    definition = replace(DEFINITION, overrides=["data=csv", "data.csv=digits.csv"])
    config = definition.compose(definition.trial_overrides(PARAMS))
    assert config.search.name is SearchName.none
    assert config.data.csv == "/somewhere/digits.csv"
    assert (config.batch_size, config.model.name) == (32, "mlp")


@pytest.mark.parametrize(
    "change",
    [
        {"settings": {"name": "optuna", "n_trials": 0}},
        {"settings": {"name": "optuna"}},
        {"settings": {"unknown": 1}},
        {"settings": 3},
        {"space": {"x": "no JSON"}},
        {"space": {"x": '{"name": "os.system", "attributes": {}}'}},
        {"space": []},
        {"overrides": "epochs=3"},
        {"overrides": [3]},
        {"max_epochs": "3"},
        {"monitor": None},
        {"direction": "up"},
        {"cwd": None},
        {"config_dirs": "/"},
    ],
)
def test_damaged_definition_is_reported_in_one_line(tmp_path: Path, change: Any) -> None:
    write_definition(tmp_path, DEFINITION)
    file = tmp_path / SEARCH_RECORD
    content = json.loads(file.read_text(encoding="utf-8"))
    file.write_text(json.dumps(content | change), encoding="utf-8")
    with pytest.raises(RunError) as caught:
        read_definition(tmp_path)
    (error,) = caught.value.messages
    assert error.startswith(f"{file} is damaged: ")
    assert "\n" not in error


@pytest.mark.parametrize("text", ["", "[]", "{}", "{", "\x00"])
def test_file_without_a_definition_is_reported(tmp_path: Path, text: str) -> None:
    (tmp_path / SEARCH_RECORD).write_text(text, encoding="utf-8")
    with pytest.raises(RunError, match=SEARCH_RECORD):
        read_definition(tmp_path)


def test_file_selects_neither_code_nor_cache() -> None:
    overrides = ["model=custom", "model.path=evil.py:Net", "data.cache=/evil"]
    config = DEFINITION.compose(overrides)
    with pytest.raises(RunError, match=r"write model\.path="):
        UserPaths().apply(Path("search"), config)
    applied = UserPaths(CodePaths("mine.py:Net"), None).apply(Path("search"), config)
    assert (applied.model.path, applied.data.cache) == ("mine.py:Net", None)  # type: ignore[attr-defined]
    assert (
        UserPaths(CodePaths("mine.py:Net"), "mine").apply(Path("search"), config).data.cache
        == "mine"
    )

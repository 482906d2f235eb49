"""Made-up run folders: real configurations with chosen metrics."""

import copy
import json
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

from csvision.config.compose import load_config
from csvision.config.labels import folder_name, parse_override
from csvision.config.serialize import config_to_dict


@cache
def base_config(*overrides: str) -> dict[str, Any]:
    kind = "baseline" if any(word.startswith("baseline=") for word in overrides) else "train"
    return config_to_dict(load_config(kind, overrides))


def config_of(overrides: Sequence[str]) -> dict[str, Any]:
    """Return the configuration with overrides; seeds and folds need no new composition."""
    values = dict(map(parse_override, overrides))
    others = [word for word in overrides if not word.startswith(("seed=", "data.fold"))]
    config = copy.deepcopy(base_config(*others))
    config["seed"] = int(values.get("seed", 42))
    if "data.fold" in values:
        config["data"] |= {"fold": int(values["data.fold"]), "folds": int(values["data.folds"])}
    return config


def write_run(
    folder: Path, overrides: Sequence[str], state: str = "finished", /, **metrics: float
) -> Path:
    """Write a run folder; names of metrics have __ for the slash."""
    folder.mkdir(parents=True)
    content = {
        "state": state,
        "started": "2026-01-01T10:00:00+00:00",
        "ended": "2026-01-01T10:00:12.5+00:00",
        "overrides": [*overrides],
        "config": config_of(overrides),
    }
    (folder / "run.json").write_text(json.dumps(content), encoding="utf-8")
    if state == "finished":
        named: dict[str, Any] = {name.replace("__", "/"): value for name, value in metrics.items()}
        named["test/acc by class"] = {"a": 0.5}
        (folder / "metrics.json").write_text(json.dumps(named), encoding="utf-8")
    return folder


def write_sweep(folder: Path, jobs: Sequence[tuple[Sequence[str], dict[str, float] | str]]) -> Path:
    """Write a sweep of jobs with overrides and metrics, or a state without metrics."""
    folder.mkdir(parents=True)
    recorded = []
    for number, (overrides, outcome) in enumerate(jobs):
        name = folder_name(number, dict(map(parse_override, overrides)))
        recorded.append({"directory": name, "overrides": [*overrides], "config": {}})
        if isinstance(outcome, dict):
            write_run(folder / name, overrides, "finished", **outcome)
        elif outcome != "not started":
            write_run(folder / name, overrides, outcome)
    (folder / "sweep.json").write_text(json.dumps({"jobs": recorded}), encoding="utf-8")
    return folder


def accuracies(**values: Sequence[float]) -> list[tuple[list[str], dict[str, float] | str]]:
    """Return jobs for models with one accuracy per seed; test figures are 0.1 lower."""
    return [
        (
            [f"model={model}", f"seed={seed}"],
            {"val__acc": value, "test__acc": value - 0.1, "val__loss": 1 - value},
        )
        for model, row in values.items()
        for seed, value in enumerate(row)
    ]

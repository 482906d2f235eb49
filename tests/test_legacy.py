"""Runs made by version 0.1, before configuration keys were renamed.

tests/legacy has two of them: `finished`, and `interrupted` after 9 of 18 steps with the same
configuration.
"""

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

import csvision
from csvision.config import model_schema, schema
from csvision.config.compose import load_config
from csvision.errors import RunError
from csvision.legacy import (
    ADDED_KEYS,
    ADDED_TOP_LEVEL_KEYS,
    RENAMED_KEYS,
    migrate_config,
    migrate_override,
)
from csvision.run.directory import RunDirectory
from csvision.run.sweep_jobs import read_sweep
from csvision.run.sweep_table import sweep_table

LEGACY = Path(__file__).with_name("legacy")


@pytest.fixture
def finished(tmp_path: Path) -> Path:
    """A copy of the finished run."""
    return Path(shutil.copytree(LEGACY / "finished", tmp_path / "finished"))


@pytest.fixture
def interrupted(tmp_path: Path) -> Path:
    """A copy of the interrupted run."""
    return Path(shutil.copytree(LEGACY / "interrupted", tmp_path / "interrupted"))


def test_config_has_the_new_keys_with_the_old_values(finished: Path) -> None:
    config = RunDirectory(finished).read_config()
    assert isinstance(config.model, model_schema.CNNConfig)
    assert isinstance(config.scheduler, schema.OneCycleConfig)
    assert config.model.global_pool is model_schema.GlobalPool.avg
    assert (config.data.csv, config.data.pad, config.data.normalize) == ("bundled", 1, True)
    assert config.data.max_decompressed_gib == 2
    assert config.augmentation == schema.AugmentationConfig(0.5, 2, 8, 0.05, 0, 0)
    assert config.scheduler.pct_start == 0.4
    assert config.scheduler.div_factor == 25
    assert config.test_checkpoint is schema.CheckpointName.best
    assert config.checkpoint_interval_seconds == 20
    assert (config.accelerator.num_threads, config.debug.limit_rows) == (1, 96)
    assert config.output_dir == "outputs"


def test_recorded_overrides_give_the_recorded_config(finished: Path) -> None:
    overrides = RunDirectory(finished).read_manifest()["overrides"]
    config = load_config("train", [migrate_override(override) for override in overrides])
    recorded = RunDirectory(finished).read_config()
    # A single run has no launcher; what was recorded before there was one is what it did.
    assert recorded.launcher.name == "serial"
    assert replace(config, launcher=recorded.launcher) == recorded


@pytest.mark.slow
def test_evaluation_gives_the_recorded_metrics_and_probabilities(finished: Path) -> None:
    recorded = json.loads((finished / "metrics.json").read_text(encoding="utf-8"))
    table = pd.read_csv(finished / "predictions.csv")
    result = csvision.evaluate(finished, "device=cpu", "quiet=true")
    # The run has no balanced accuracy.
    known = {name: value for name, value in result.metrics.items() if name in recorded}
    assert known.keys() == {"test/loss", "test/acc", "test/f1"}
    assert known == pytest.approx({name: recorded[name] for name in known})
    columns = [name for name in table.columns if name.startswith("probability ")]
    np.testing.assert_allclose(result.probabilities, table[columns], rtol=1e-5, atol=1e-7)


def test_load_restores_mean_and_std(finished: Path) -> None:
    classifier = csvision.load(finished)
    state = torch.load(finished / "checkpoints" / "best.ckpt", weights_only=True)["state_dict"]
    assert torch.equal(classifier.std, state["deviation"])
    assert float(classifier.std) != 1


@pytest.mark.slow
def test_resume_gives_the_weights_of_the_uninterrupted_run(
    interrupted: Path, finished: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The layout that version 0.1 had: batch normalization amplifies how another one rounds.
    monkeypatch.setattr("csvision.models.cnn.channels_last", torch.contiguous_format)
    result = csvision.resume(interrupted)
    assert RunDirectory(interrupted).read_manifest()["state"] == "finished"
    history, expected = (
        pd.read_csv(run / "history.csv").drop(columns="seconds") for run in (interrupted, finished)
    )
    # Metrics that were added since are known for the resumed epochs only.
    assert history["val/balanced_acc"].isna().tolist() == [True, False, False]
    history = history[expected.columns]
    # Another processor may round differently.
    pd.testing.assert_frame_equal(history, expected, rtol=1e-4)
    reference = csvision.load(finished).state_dict()
    for name, weights in result.classifier.network.state_dict().items():
        torch.testing.assert_close(weights, reference[f"network.{name}"], rtol=1e-3, atol=1e-5)


@pytest.mark.slow
def test_resume_restores_the_states_of_all_callbacks(interrupted: Path) -> None:
    checkpoint = torch.load(interrupted / "checkpoints" / "last.ckpt", weights_only=True)
    first_epoch = checkpoint["callbacks"]["EpochRecorder"]["rows"]
    csvision.resume(interrupted)
    rows = pd.read_csv(interrupted / "history.csv")
    assert len(first_epoch) == 1
    assert rows.loc[0, "seconds"] == first_epoch[0]["seconds"]


@pytest.mark.slow
def test_reproduce_is_not_confused_by_renamed_keys(finished: Path) -> None:
    comparison = csvision.reproduce(finished)
    assert not [line for line in comparison.differences if line.startswith("config:")]


@pytest.mark.slow
def test_modified_config_is_still_detected(interrupted: Path) -> None:
    manifest = json.loads((interrupted / "run.json").read_text(encoding="utf-8"))
    manifest["config"]["scheduler"]["warmup"] = 0.5
    (interrupted / "run.json").write_text(json.dumps(manifest), encoding="utf-8")
    with pytest.raises(RunError, match=r"scheduler\.pct_start was 0\.4 and is 0\.5"):
        csvision.resume(interrupted)


def test_old_sweep_is_expanded_with_the_new_keys(tmp_path: Path) -> None:
    (tmp_path / "multirun.yaml").write_text(
        """
hydra:
  sweeper:
    _target_: hydra._internal.core_plugins.basic_sweeper.BasicSweeper
    params: null
  runtime:
    cwd: /
  overrides:
    task: ["model.head=flatten,global_max", weights=best, data.csv=embedded]
""",
        encoding="utf-8",
    )
    jobs = read_sweep(tmp_path, None)
    models = [job.config.model for job in jobs]
    assert all(isinstance(model, model_schema.CNNConfig) for model in models)
    assert [getattr(model, "global_pool", None) for model in models] == ["none", "max"]
    assert {getattr(job.config, "test_checkpoint", None) for job in jobs} == {"best"}


SWEEP = """
hydra:
  sweeper:
    _target_: hydra._internal.core_plugins.basic_sweeper.BasicSweeper
    params: null
  runtime:
    cwd: /
  sweep:
    subdir: {subdir}
  overrides:
    task: ["optimizer.lr=0.1,0.2", seed=5]
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("subdir", "names"),
    [
        ("${hydra.job.num}_${model.name}_seed${seed}", ["0_cnn_seed5", "1_cnn_seed5"]),
        ("${csvision.job_name:1,2,3}", ["0_lr=0.1", "1_lr=0.2"]),
    ],
)
def test_jobs_of_a_sweep_without_record_have_the_names_of_their_version(
    subdir: str, names: list[str], tmp_path: Path
) -> None:
    content = SWEEP.format(subdir=f"'{subdir}'")
    (tmp_path / "multirun.yaml").write_text(content, encoding="utf-8")
    assert [job.directory.name for job in read_sweep(tmp_path, None)] == names


def test_folders_of_earlier_sweeps_are_listed_and_compared(finished: Path, tmp_path: Path) -> None:
    """A sweep of version 0.1 has Hydra's file only, and folders such as 0_cnn_seed1."""
    sweep = tmp_path / "sweep"
    for number in range(2):
        run = shutil.copytree(finished, sweep / f"{number}_cnn_seed{number}")
        manifest = json.loads((run / "run.json").read_text(encoding="utf-8"))
        manifest["config"]["seed"] = number
        manifest["overrides"] = ["model=cnn", f"seed={number}"]
        (run / "run.json").write_text(json.dumps(manifest), encoding="utf-8")
    (sweep / "multirun.yaml").write_text("hydra: {}", encoding="utf-8")
    comparison = csvision.compare(sweep)
    assert comparison.states == {"finished": 2}
    (setting,) = comparison.settings
    assert setting.metrics["val/acc"].n == 2
    assert [*sweep_table(sweep)["job"]] == [0, 1]


def without_added_keys(migrated: dict[str, Any]) -> dict[str, Any]:
    """Return a migrated configuration without the keys that the old version did not have."""
    for name, default in ADDED_TOP_LEVEL_KEYS.items():
        assert migrated.pop(name, default) == default
    for group, defaults in ADDED_KEYS.items():
        for name in defaults if group in migrated else ():
            del migrated[group][name]
    return migrated


@pytest.mark.parametrize(("old", "new"), RENAMED_KEYS.items())
def test_every_renamed_key_is_migrated(old: str, new: str) -> None:
    group, _, key = old.rpartition(".")
    values = {group: {key: 5}} if group else {key: 5}
    new_group, _, new_key = new.rpartition(".")
    migrated = without_added_keys(migrate_config(values))
    assert migrated == ({new_group: {new_key: 5}} if new_group else {new_key: 5})
    assert migrate_override(f"{old}=5") == f"{new}=5"
    assert migrate_override(f"+{old}=5") == f"+{new}=5"


def test_key_inside_a_renamed_key_is_migrated() -> None:
    assert migrate_override("model.arguments.width=5") == "model.kwargs.width=5"
    migrated = migrate_config({"model": {"arguments": {"width": 5}}})
    assert without_added_keys(migrated) == {"model": {"kwargs": {"width": 5}}}


def test_current_config_is_unchanged() -> None:
    config = csvision.config_to_dict(csvision.load_config("train", []))
    assert migrate_config(config) == config

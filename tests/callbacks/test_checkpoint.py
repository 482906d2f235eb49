"""CheckpointCallback: when it saves, and what checkpoints contain."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch

import csvision
from csvision.callbacks.checkpoint import CheckpointCallback
from csvision.run.directory import RunDirectory
from tests.conftest import SMALL_RUN, silent_trainer
from tests.run.interrupt import train_until


def leaves(node: Any) -> list[Any]:
    """Return the values in nested dicts, lists, tuples and sets."""
    if isinstance(node, dict):
        return [leaf for item in node.items() for part in item for leaf in leaves(part)]
    if isinstance(node, list | tuple | set):
        return [leaf for item in node for leaf in leaves(item)]
    return [node]


@pytest.mark.slow
@pytest.mark.parametrize("scheduler", ["none", "onecycle", "cosine", "step"])
def test_checkpoints_contain_only_tensors_and_plain_values(
    scheduler: str, digits_csv: Path
) -> None:
    result = csvision.train(*SMALL_RUN, "epochs=2", f"scheduler={scheduler}")
    paths = sorted((result.directory / "checkpoints").iterdir())
    assert [path.name for path in paths] == ["best.ckpt", "last.ckpt", "previous.ckpt"]
    for path in paths:
        types = {type(value) for value in leaves(torch.load(path, weights_only=True))}
        assert types <= {torch.Tensor, str, int, float, bool, type(None)}


def test_checkpoints_to_resume_contain_the_config_of_the_manifest(small_run: RunDirectory) -> None:
    for path in (small_run.last, small_run.previous):
        content = torch.load(path, weights_only=True)
        assert json.loads(content["config"]) == small_run.read_manifest()["config"]


def test_best_checkpoint_contains_no_optimizer_state(small_run: RunDirectory) -> None:
    assert "optimizer_states" in torch.load(small_run.last, weights_only=True)
    assert "optimizer_states" not in torch.load(small_run.best, weights_only=True)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("max_fraction", "previous"),
    [
        pytest.param(1e9, 24, id="of every epoch"),
        pytest.param(1e-9, 8, id="of the first and the last epoch if all are short"),
    ],
)
def test_last_and_previous_checkpoint(
    max_fraction: float, previous: int, digits_csv: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("csvision.callbacks.checkpoint.MAX_SAVE_FRACTION", max_fraction)
    run = RunDirectory(csvision.train(*SMALL_RUN, "epochs=4").directory)
    steps = [
        torch.load(path, weights_only=True)["global_step"] for path in (run.previous, run.last)
    ]
    assert steps == [previous, 32]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("seconds", "names"), [(1000, []), (0.001, ["last.ckpt", "previous.ckpt"])]
)
def test_interval_decides_whether_batches_are_saved(
    seconds: float, names: list[str], digits_csv: Path
) -> None:
    overrides = (*SMALL_RUN, f"checkpoint_interval_seconds={seconds}")
    run = train_until(5, overrides, save=False)
    assert sorted(path.name for path in run.checkpoints.glob("*")) == names


def test_previous_state_of_best_accuracy_is_restored(tmp_path: Path) -> None:
    checkpoints = CheckpointCallback(tmp_path, {}, 30, has_val=True)
    checkpoints.best = 0.75
    restored = CheckpointCallback(tmp_path, {}, 30, has_val=True)
    restored.load_state_dict(checkpoints.state_dict())
    assert restored.best == 0.75


def test_deleted_folder_is_not_created_again(tmp_path: Path) -> None:
    checkpoints = CheckpointCallback(tmp_path / "deleted", {}, 30, has_val=False)
    with pytest.raises(FileNotFoundError, match="deleted"):
        checkpoints.save_last(silent_trainer())
    assert not (tmp_path / "deleted").exists()


@pytest.mark.slow
def test_without_validation_split_there_is_no_best_checkpoint(digits_csv: Path) -> None:
    overrides = (*SMALL_RUN, "epochs=1", "data.val_size=0")
    run = RunDirectory(csvision.train(*overrides).directory)
    assert [path.name for path in run.checkpoints.iterdir()] == ["last.ckpt"]

"""A checkpoint is resumed only if it has the structure that this run writes."""

from collections.abc import Callable
from typing import Any

import pytest
import torch

import csvision
from csvision.errors import RunError
from csvision.run.directory import RunDirectory

Content = dict[str, Any]


def change_last_checkpoint(run: RunDirectory, change: Callable[[Content], None]) -> None:
    """Change the content of last.ckpt."""
    content = torch.load(run.last)
    change(content)
    torch.save(content, run.last)


def delete(*keys: Any) -> Callable[[Content], None]:
    """Return a change that deletes an entry."""

    def change(content: Content) -> None:
        entry: Any = content
        for key in keys[:-1]:
            entry = entry[key]
        del entry[keys[-1]]

    return change


def replace(value: Any, *keys: Any) -> Callable[[Content], None]:
    """Return a change that replaces an entry."""

    def change(content: Content) -> None:
        entry: Any = content
        for key in keys[:-1]:
            entry = entry[key]
        entry[keys[-1]] = value

    return change


OPTIMIZER = ("optimizer_states", 0)
WEIGHT = "network.logits.weight"

CHANGES = {
    "no callbacks": delete("callbacks"),
    "no loops": delete("loops"),
    "no optimizer states": delete("optimizer_states"),
    "no schedulers": delete("lr_schedulers"),
    "no configuration": delete("config"),
    "no position in the data": delete("CSVDataModule"),
    "empty callbacks": replace({}, "callbacks"),
    "empty loops": replace({}, "loops"),
    "empty optimizer states": replace([], "optimizer_states"),
    "empty schedulers": replace([], "lr_schedulers"),
    "empty optimizer": replace({}, *OPTIMIZER),
    "optimizer without moments": replace({}, *OPTIMIZER, "state"),
    "optimizer without one moment": delete(*OPTIMIZER, "state", 0, "exp_avg"),
    "moment of another shape": replace(torch.zeros(3), *OPTIMIZER, "state", 0, "exp_avg"),
    "moment that is a number": replace(1.0, *OPTIMIZER, "state", 0, "exp_avg"),
    "optimizer without groups": delete(*OPTIMIZER, "param_groups"),
    "optimizer with two groups": replace([{}, {}], *OPTIMIZER, "param_groups"),
    "group without learning rate": delete(*OPTIMIZER, "param_groups", 0, "lr"),
    "callbacks that are a list": replace([], "callbacks"),
    "no random states": delete("callbacks", "RNGStateCallback"),
    "no state of torch": delete("callbacks", "RNGStateCallback", "torch"),
    "short state of torch": replace(torch.zeros(3), "callbacks", "RNGStateCallback", "torch"),
    "no history": delete("callbacks", "HistoryCallback"),
    "history that is text": replace("rows", "callbacks", "HistoryCallback", "rows"),
    "no best accuracy": delete("callbacks", "CheckpointCallback", "best"),
    "no progress": delete("loops", "fit_loop", "epoch_progress"),
    "progress that is text": replace("2", "loops", "fit_loop", "epoch_progress"),
    "configuration that is no JSON": replace("{", "config"),
    "configuration that is a number": replace(3, "config"),
}


@pytest.mark.slow
@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_checkpoint_of_another_structure_is_skipped(
    change: Callable[[Content], None], interrupted_run: RunDirectory, small_run: RunDirectory
) -> None:
    change_last_checkpoint(interrupted_run, change)
    csvision.resume(interrupted_run.path)
    log = interrupted_run.log.read_text(encoding="utf-8")
    assert f"WARNING {interrupted_run.last}" in log
    assert f"resuming from {interrupted_run.previous}" in log
    expected = small_run.read_manifest()["weights_sha256"]
    assert interrupted_run.read_manifest()["weights_sha256"] == expected


@pytest.mark.slow
def test_machine_may_have_another_number_of_gpus(
    interrupted_run: RunDirectory, small_run: RunDirectory
) -> None:
    state = torch.zeros(16, dtype=torch.uint8)
    change = replace([state] * 3, "callbacks", "RNGStateCallback", "cuda")
    change_last_checkpoint(interrupted_run, change)
    csvision.resume(interrupted_run.path)
    assert f"resuming from {interrupted_run.last}" in interrupted_run.log.read_text("utf-8")
    expected = small_run.read_manifest()["weights_sha256"]
    assert interrupted_run.read_manifest()["weights_sha256"] == expected


OTHER_WEIGHTS = {
    "none": delete("state_dict"),
    "empty": replace({}, "state_dict"),
    "a list": replace([], "state_dict"),
    "one missing": delete("state_dict", WEIGHT),
    "one of another shape": replace(torch.zeros(2), "state_dict", WEIGHT),
    "one that is a number": replace(3.0, "state_dict", WEIGHT),
}


@pytest.mark.parametrize("change", OTHER_WEIGHTS.values(), ids=OTHER_WEIGHTS)
def test_weights_of_another_network_are_refused(
    change: Callable[[Content], None], interrupted_run: RunDirectory
) -> None:
    change_last_checkpoint(interrupted_run, change)
    with pytest.raises(RunError, match=r"last\.ckpt does not contain the weights"):
        csvision.resume(interrupted_run.path)


INVALID_VALUES = {
    "random state": replace((3, (1, 2), None), "callbacks", "RNGStateCallback", "python"),
    "history": replace([1], "callbacks", "HistoryCallback", "rows"),
}


@pytest.mark.parametrize("change", INVALID_VALUES.values(), ids=INVALID_VALUES)
def test_checkpoint_with_invalid_values_is_named(
    change: Callable[[Content], None], interrupted_run: RunDirectory
) -> None:
    change_last_checkpoint(interrupted_run, change)
    with pytest.raises(RunError, match=r"last\.ckpt has a state that cannot be restored"):
        csvision.resume(interrupted_run.path)
    assert interrupted_run.read_manifest()["state"] == "failed"

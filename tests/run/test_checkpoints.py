"""Checkpoints: whole or not there, the newest that can be read, nothing of them executed."""

import json
import os
import pickle
from pathlib import Path

import pytest
import torch

import csvision
from csvision.errors import RunError
from csvision.run.checkpoints import newest_checkpoint
from csvision.run.directory import RunDirectory, add_to_manifest
from tests.run.small import SMALL, manifest, stop_at, unfinished


def cut_short(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


class Payload:
    """What pickle would execute."""

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.mkdir, ("executed",)


def plant_pickle(path: Path) -> None:
    path.write_bytes(pickle.dumps({"state_dict": Payload(), "config": "{}"}))


def plant_in_torch_file(path: Path) -> None:
    torch.save({"state_dict": Payload(), "config": "{}"}, path)


DAMAGE = [
    pytest.param(cut_short, id="cut short"),
    pytest.param(lambda path: path.write_bytes(b""), id="empty"),
    pytest.param(lambda path: path.write_bytes(b"\0" * 5000), id="zeros"),
    pytest.param(lambda path: torch.save({"epoch": 1}, path), id="of something else"),
    pytest.param(plant_pickle, id="a pickle that executes"),
    pytest.param(plant_in_torch_file, id="a torch file that executes"),
]


def test_the_payloads_would_run() -> None:
    plant_pickle(Path("payload"))
    pickle.loads(Path("payload").read_bytes())
    assert Path("executed").exists()
    Path("executed").rmdir()
    plant_in_torch_file(Path("payload"))
    torch.load("payload", weights_only=False)
    assert Path("executed").exists()


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_last_one_gives_way_to_the_one_before(
    damage: object, caplog: pytest.LogCaptureFixture
) -> None:
    assert callable(damage)
    whole = csvision.train(*SMALL)
    run = unfinished(step=20)
    damage(run.last)
    assert newest_checkpoint(run) == run.previous
    csvision.resume(run.path)
    assert manifest(run)["weights_sha256"] == manifest(whole.directory)["weights_sha256"]
    assert not Path("executed").exists()


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_one_is_refused_by_evaluation(damage: object) -> None:
    assert callable(damage)
    run = RunDirectory(csvision.train(*SMALL, "epochs=1").directory)
    damage(run.last)
    with pytest.raises(RunError, match=r"last\.ckpt"):
        csvision.evaluate(run.path)
    assert not Path("executed").exists()


def test_without_any_that_can_be_read_the_run_starts_again() -> None:
    whole = csvision.train(*SMALL)
    run = unfinished(step=20)
    cut_short(run.last)
    cut_short(run.previous)
    assert newest_checkpoint(run) is None
    csvision.resume(run.path)
    assert manifest(run)["weights_sha256"] == manifest(whole.directory)["weights_sha256"]


def test_they_load_as_tensors_and_plain_values_and_hold_the_configuration() -> None:
    run = RunDirectory(csvision.train(*SMALL).directory)
    content = torch.load(run.last, weights_only=True)
    assert json.loads(content["config"]) == manifest(run)["config"]
    assert torch.load(run.best, weights_only=True).keys().isdisjoint({"optimizer_states"})
    assert sorted(path.name for path in run.last.parent.iterdir()) == [
        "best.ckpt",
        "last.ckpt",
        "previous.ckpt",
    ]


def test_an_edited_configuration_is_told() -> None:
    run = unfinished(step=20)
    edited = manifest(run)["config"]
    edited["optimizer"]["lr"] = 0.5
    add_to_manifest(run, config=edited)
    with pytest.raises(RunError, match=r"run\.json is not as it was: optimizer\.lr was 0\.003"):
        csvision.resume(run.path)


def test_time_between_two_is_kept() -> None:
    rare, often = (
        sorted(stop_at(5, f"checkpoint_seconds={seconds}", save=False).path.glob("checkpoints/*"))
        for seconds in (1000, 0.001)
    )
    assert rare == []
    assert [path.name for path in often] == ["last.ckpt", "previous.ckpt"]

"""Reading checkpoints: damaged ones are skipped or refused, and nothing in them is executed."""

import os
import pickle
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

import csvision
from csvision.errors import RunError
from csvision.run.checkpoints import latest_checkpoint, read_checkpoint
from csvision.run.directory import RunDirectory


class Payload:
    """An object whose pickle creates the folder `executed` when it is loaded."""

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.mkdir, ("executed",)


def truncate(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def write_pickle(path: Path, protocol: int | None = None) -> None:
    path.write_bytes(pickle.dumps({"state_dict": Payload(), "config": "{}"}, protocol))


def write_torch_file(path: Path) -> None:
    torch.save({"state_dict": Payload(), "config": "{}"}, path)


DAMAGE = [
    pytest.param(truncate, id="truncated"),
    pytest.param(lambda path: path.write_bytes(b""), id="empty"),
    pytest.param(lambda path: path.write_bytes(b"\0" * 5000), id="zeros"),
    pytest.param(lambda path: path.write_bytes(b"not a checkpoint"), id="text"),
    pytest.param(lambda path: path.write_bytes(b"PK\x03\x04"), id="start of a zip file"),
    pytest.param(lambda path: torch.save({"epoch": 1}, path), id="without weights"),
    pytest.param(lambda path: torch.save([1], path), id="a list"),
    pytest.param(write_pickle, id="malicious pickle"),
    pytest.param(lambda path: write_pickle(path, 2), id="malicious pickle of protocol 2"),
    pytest.param(write_torch_file, id="malicious torch file"),
]

Damage = Callable[[Path], object]


def test_payloads_work_in_an_unsafe_reader() -> None:
    write_pickle(Path("payload"))
    pickle.loads(Path("payload").read_bytes())
    assert Path("executed").exists()
    Path("executed").rmdir()
    write_torch_file(Path("payload"))
    torch.load("payload", weights_only=False)
    assert Path("executed").exists()


@pytest.mark.parametrize("damage", DAMAGE)
def test_resume_skips_a_damaged_checkpoint(
    damage: Damage, interrupted_run: RunDirectory, small_run: RunDirectory
) -> None:
    damage(interrupted_run.last)
    assert latest_checkpoint(interrupted_run) == interrupted_run.previous
    csvision.resume(interrupted_run.path)
    expected = small_run.read_manifest()["weights_sha256"]
    assert interrupted_run.read_manifest()["weights_sha256"] == expected
    assert not Path("executed").exists()


@pytest.mark.parametrize("damage", DAMAGE)
def test_evaluate_and_load_refuse_a_damaged_checkpoint(
    damage: Damage, small_run: RunDirectory
) -> None:
    damage(small_run.last)
    for act in (lambda: csvision.evaluate(small_run.path), lambda: csvision.load(small_run.path)):
        with pytest.raises(RunError, match=r"last\.ckpt"):
            act()
    assert not Path("executed").exists()


def test_resume_without_a_readable_checkpoint_starts_again(
    interrupted_run: RunDirectory, small_run: RunDirectory
) -> None:
    truncate(interrupted_run.last)
    truncate(interrupted_run.previous)
    assert latest_checkpoint(interrupted_run) is None
    csvision.resume(interrupted_run.path)
    expected = small_run.read_manifest()["weights_sha256"]
    assert interrupted_run.read_manifest()["weights_sha256"] == expected


def test_error_does_not_recommend_to_execute_the_file(small_run: RunDirectory) -> None:
    write_torch_file(small_run.last)
    with pytest.raises(RunError) as raised:
        read_checkpoint(small_run.last)
    assert str(small_run.last) in str(raised.value)
    assert "weights_only" not in str(raised.value)


def test_modified_config_in_the_manifest_is_refused(interrupted_run: RunDirectory) -> None:
    config = interrupted_run.read_manifest()["config"]
    config["optimizer"]["lr"] = 0.5
    interrupted_run.update_manifest(config=config)
    with pytest.raises(RunError, match=r"run\.json was modified: optimizer\.lr was 0\.03 .* 0\.5"):
        csvision.resume(interrupted_run.path)

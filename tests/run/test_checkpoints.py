"""Reading checkpoints: damaged ones are skipped or refused, and nothing in them is executed."""

import copy
import os
import pickle
import resource
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

import csvision
from csvision.errors import RunError
from csvision.files import write_json
from csvision.run.checkpoints import read_checkpoint
from csvision.run.directory import RunDirectory
from tests.conftest import SMALL_RUN


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


def compress(path: Path, factor: int = 1) -> None:
    """Store the entries of a checkpoint compressed, and the tensors `factor` times as large."""
    content = torch.load(path)
    content["state_dict"] = {
        name: value.repeat(factor, *[1] * max(value.dim() - 1, 0))
        for name, value in content["state_dict"].items()
    }
    torch.save(content, path)
    with zipfile.ZipFile(path) as archive:
        entries = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in entries.items():
            archive.writestr(name, data)


def overlap(path: Path) -> None:
    """Let two entries of a checkpoint share the bytes of the file."""
    with zipfile.ZipFile(path, "a") as archive:
        (largest,) = sorted(archive.infolist(), key=lambda entry: entry.file_size)[-1:]
        for number in range(3):
            entry = copy.copy(largest)
            entry.filename = f"archive/data/{number + 1000}"
            archive.filelist.append(entry)
        archive._didModify = True  # type: ignore[attr-defined]


DAMAGE = [
    pytest.param(compress, id="compressed"),
    pytest.param(overlap, id="overlapping entries"),
    pytest.param(lambda path: torch.save(torch.zeros(3), path), id="a tensor"),
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


def read_log(run: RunDirectory) -> str:
    return run.log.read_text(encoding="utf-8")


def test_payloads_work_in_an_unsafe_reader() -> None:
    write_pickle(Path("payload"))
    pickle.loads(Path("payload").read_bytes())
    assert Path("executed").exists()
    Path("executed").rmdir()
    write_torch_file(Path("payload"))
    torch.load("payload", weights_only=False)
    assert Path("executed").exists()


@pytest.mark.slow
@pytest.mark.parametrize("damage", DAMAGE)
def test_resume_skips_a_damaged_checkpoint(
    damage: Damage, interrupted_run: RunDirectory, small_run: RunDirectory
) -> None:
    damage(interrupted_run.last)
    csvision.resume(interrupted_run.path)
    assert f"resuming from {interrupted_run.previous}" in read_log(interrupted_run)
    expected = small_run.read_manifest()["weights_sha256"]
    assert interrupted_run.read_manifest()["weights_sha256"] == expected
    assert not Path("executed").exists()


@pytest.mark.slow
@pytest.mark.parametrize("damage", DAMAGE)
def test_evaluate_and_load_refuse_a_damaged_checkpoint(
    damage: Damage, small_run: RunDirectory
) -> None:
    damage(small_run.last)
    for act in (lambda: csvision.evaluate(small_run.path), lambda: csvision.load(small_run.path)):
        with pytest.raises(RunError, match=r"last\.ckpt"):
            act()
    assert not Path("executed").exists()


@pytest.mark.slow
def test_resume_without_a_readable_checkpoint_is_refused(
    interrupted_run: RunDirectory, small_run: RunDirectory
) -> None:
    truncate(interrupted_run.last)
    truncate(interrupted_run.previous)
    with pytest.raises(RunError, match=rf"delete {interrupted_run.checkpoints}"):
        csvision.resume(interrupted_run.path)
    # The advice of the message works.
    shutil.rmtree(interrupted_run.checkpoints)
    csvision.resume(interrupted_run.path)
    assert "training from the beginning" in read_log(interrupted_run)
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


@pytest.mark.slow
def test_compressed_checkpoint_is_refused_before_it_takes_memory(small_run: RunDirectory) -> None:
    compress(small_run.last, factor=20_000)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(RunError, match="compressed"):
        csvision.load(small_run.path)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss == before


@pytest.mark.slow
@pytest.mark.usefixtures("digits_csv")
def test_weights_of_another_run_are_refused_unless_accepted(small_run: RunDirectory) -> None:
    other = csvision.train(*SMALL_RUN, "seed=7")
    shutil.copy(RunDirectory(other.directory).last, small_run.last)
    for act in (lambda: csvision.evaluate(small_run.path), lambda: csvision.load(small_run.path)):
        with pytest.raises(RunError, match=r"last\.ckpt.*weights_sha256.*check_weights=false"):
            act()
    result = csvision.evaluate(small_run.path, "check_weights=false")
    assert result.metrics["test/acc"] == other.metrics["test/acc"]
    csvision.load(small_run.path, check_weights=False)


def test_finished_run_without_a_hash_is_refused(small_run: RunDirectory) -> None:
    content = small_run.read_manifest()
    del content["weights_sha256"]
    write_json(small_run.manifest, content)
    with pytest.raises(RunError, match=r"run\.json.*weights_sha256 is missing"):
        csvision.evaluate(small_run.path)

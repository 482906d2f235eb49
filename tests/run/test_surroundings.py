"""Full disks, lost folders and little memory: one line, nothing damaged, nothing overwritten."""

import errno
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from lightning import Trainer
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

import csvision
from csvision.errors import RunError
from csvision.run.checkpoints import Checkpoints
from csvision.run.directory import RunDirectory
from csvision.run.progress import EpochRecorder
from csvision.run.surroundings import surroundings_told
from tests.conftest import ROOT
from tests.run.small import NO_MODEL, SMALL, manifest, unfinished

LIMITED = """
import resource, runpy, signal, sys
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, ({size}, {size}))
sys.argv = sys.argv[1:]
runpy.run_path(sys.argv[0], run_name="__main__")
"""
"""Runs a script in which no file may grow beyond a size, as on a full disk."""


def run_limited(size: int, script: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    # A cache that cannot be kept is told too, and is no matter here.
    csvision.read_table("embedded")
    code = LIMITED.format(size=size)
    command = [sys.executable, "-c", code, str(ROOT / "scripts" / script), *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=120)


def only_run() -> RunDirectory:
    (path,) = Path("outputs").glob("runs/*")
    return RunDirectory(path)


def only_fault(ended: subprocess.CompletedProcess[str]) -> str:
    """The one line that a command ended with."""
    assert ended.returncode == 2, ended.stderr
    (line,) = ended.stderr.splitlines()
    assert line.startswith("error: ")
    return line


def assert_goes_on(run: RunDirectory, *overrides: str) -> None:
    """With room again the run ends as if nothing had happened."""
    expected = csvision.train(*overrides, "outputs=whole").directory
    csvision.resume(run.path)
    assert manifest(run)["weights_sha256"] == manifest(expected)["weights_sha256"]


def test_a_full_disk_under_a_checkpoint() -> None:
    overrides = (*NO_MODEL, "model=mlp", "model.hidden=[64]")
    # Weights and the state of AdamW come to 600 kB, everything else to much less.
    ended = run_limited(200_000, "train.py", *overrides)
    run = only_run()
    assert "cannot be written: File too large" in only_fault(ended)
    assert f"resume.py run={run.path.absolute()}" in ended.stderr
    assert manifest(run)["state"] == "failed"
    assert [*run.last.parent.glob("*")] == []
    assert_goes_on(run, *overrides)


def test_a_disk_that_fills_up_keeps_the_checkpoint_before() -> None:
    run = unfinished(20)
    before = run.last.read_bytes()
    ended = run_limited(len(before) - 1, "resume.py", f"run={run.path}")
    assert "File too large" in only_fault(ended)
    assert before in (run.last.read_bytes(), run.previous.read_bytes())
    assert_goes_on(run, *SMALL)


def test_a_full_disk_under_tensorboard() -> None:
    overrides = (*SMALL, "logger=tensorboard")
    whole = RunDirectory(csvision.train(*overrides, "outputs=other").directory)
    events = max(path.stat().st_size for path in whole.path.glob("events.*"))
    others = [path for path in whole.path.rglob("*") if not path.name.startswith("events.")]
    most = max(path.stat().st_size for path in others)
    assert most < events
    ended = run_limited((most + events) // 2, "train.py", *overrides)
    assert "File too large" in only_fault(ended)
    run = only_run()
    assert "event_file_writer.py" in run.log.read_text(encoding="utf-8")
    assert manifest(run)["state"] == "failed"
    assert_goes_on(run, *overrides)
    steps = EventAccumulator(str(run.path)).Reload().Scalars("val/loss")
    assert [event.step for event in steps] == [1, 2, 3, 4]


def test_a_full_disk_under_the_results() -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("csvision.run.train.write_results", no_room)
        with pytest.raises(RunError, match="No space left on device; what is there stays"):
            csvision.train(*SMALL)
    run = only_run()
    assert manifest(run)["state"] == "failed"
    assert_goes_on(run, *SMALL)


def no_room(evaluation: object, metrics: object, folder: Path) -> None:
    raise OSError(errno.ENOSPC, "No space left on device", str(folder / "predictions.csv"))


@pytest.mark.parametrize("hook", [EpochRecorder, Checkpoints])
def test_a_directory_that_is_taken_away_stays_away(
    hook: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    original: Callable[..., None] = hook.on_train_epoch_end

    def removing(self: Any, trainer: Trainer, *arguments: Any) -> None:
        if trainer.current_epoch == 1:
            shutil.rmtree(self.run.path)
        original(self, trainer, *arguments)

    monkeypatch.setattr(hook, "on_train_epoch_end", removing)
    with pytest.raises(RunError, match="was taken away while the run was under way"):
        csvision.train(*SMALL)
    assert [*Path("outputs").glob("runs/*")] == []


def test_a_folder_that_cannot_be_written_to() -> None:
    Path("outputs").write_text("a file", encoding="utf-8")
    with pytest.raises(RunError, match="cannot be written"):
        csvision.train(*SMALL)


@pytest.mark.parametrize("name", ["a folder with spaces", "größe=1,5", "実験"])
def test_any_path_will_do(name: str) -> None:
    trained = csvision.train(*SMALL, "epochs=1", f"outputs={name}")
    assert trained.directory.is_relative_to(name)
    assert csvision.reproduce(trained.directory).equal
    csvision.evaluate(trained.directory)


@pytest.mark.parametrize(
    "message",
    [
        "CUDA out of memory. Tried to allocate 20.00 GiB",
        "MPS backend out of memory (MPS allocated: 1 GB)",
        "[enforce fail at alloc_cpu.cpp:121] data. DefaultCPUAllocator: can't allocate memory",
    ],
)
def test_too_little_memory_names_the_batch_size(message: str) -> None:
    run = RunDirectory(csvision.train(*SMALL, "epochs=1").directory)
    with (
        pytest.raises(RunError, match="batch_size=512 does not fit into memory; write a smaller"),
        surroundings_told(run, 512),
    ):
        raise RuntimeError(message)


@pytest.mark.parametrize("error", [OSError(errno.ENOENT, "none", "/mine"), RuntimeError("a bug")])
def test_faults_of_the_code_stay_what_they_are(error: Exception) -> None:
    run = RunDirectory(csvision.train(*SMALL, "epochs=1").directory)
    with pytest.raises(type(error)) as raised, surroundings_told(run, 512):
        raise error
    assert raised.value is error

"""Full disks, deleted directories and too little memory: one message, and files stay intact."""

import errno
import resource
import shutil
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from lightning import Trainer
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

import csvision
from csvision.callbacks.checkpoint import CheckpointCallback
from csvision.callbacks.history import HistoryCallback
from csvision.config.compose import load_config
from csvision.config.model_schema import CustomModelConfig, ModelName
from csvision.errors import RunError
from csvision.run.directory import RunDirectory
from csvision.run.system_errors import translate_system_errors
from tests.cli.conftest import RunCommand
from tests.conftest import SMALL_RUN, SMALL_TRAINING

pytestmark = pytest.mark.usefixtures("digits_csv")


@contextmanager
def limit_file_size(size: int) -> Iterator[None]:
    """Let no file grow beyond a size, as on a full disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, handler)


MLP = load_config("train", ["model=mlp"]).model


def only_run() -> RunDirectory:
    (path,) = Path("outputs").absolute().glob("runs/*")
    return RunDirectory(path)


def assert_can_be_resumed(run: RunDirectory, weights_sha256: str) -> None:
    """Check that resuming with space on the disk gives the weights of an uninterrupted run."""
    csvision.resume(run.path)
    assert run.read_manifest()["weights_sha256"] == weights_sha256


class TestFullDisk:
    @pytest.mark.slow
    def test_while_saving_the_first_checkpoint(self) -> None:
        overrides = (*SMALL_TRAINING, "model=mlp", "model.hidden=[1024]")
        whole = csvision.train(*overrides, "output_dir=whole").directory
        # Weights and the state of AdamW take 900 kB, everything else much less.
        with limit_file_size(200_000), pytest.raises(RunError) as raised:
            csvision.train(*overrides)
        run = only_run()
        assert f"{run.path} cannot be written: File too large" in str(raised.value)
        assert f"resume run={run.path}" in str(raised.value)
        assert run.read_manifest()["state"] == "failed"
        assert [*run.checkpoints.glob("*")] == []
        assert_can_be_resumed(run, RunDirectory(whole).read_manifest()["weights_sha256"])

    @pytest.mark.slow
    def test_while_saving_a_later_checkpoint_keeps_the_previous_one(
        self, interrupted_run: RunDirectory, small_run: RunDirectory
    ) -> None:
        before = interrupted_run.last.read_bytes()
        with limit_file_size(len(before) - 1), pytest.raises(RunError, match="File too large"):
            csvision.resume(interrupted_run.path)
        kept = (interrupted_run.last.read_bytes(), interrupted_run.previous.read_bytes())
        assert before in kept
        assert_can_be_resumed(interrupted_run, small_run.read_manifest()["weights_sha256"])

    @pytest.mark.slow
    def test_while_writing_curves_gives_one_line_on_the_command_line(
        self, csvision_command: RunCommand
    ) -> None:
        overrides = (*SMALL_RUN, "logger=tensorboard")
        whole = RunDirectory(csvision.train(*overrides, "output_dir=whole").directory)
        events = max(path.stat().st_size for path in whole.path.glob("events.*"))
        others = [path for path in whole.path.rglob("*") if not path.name.startswith("events.")]
        largest = max(path.stat().st_size for path in others)
        assert largest < events
        with limit_file_size((largest + events) // 2):
            output = csvision_command("train", *overrides)
        run = only_run()
        assert output.error.startswith(f"{run.path} cannot be written: File too large")
        assert "event_file_writer.py" in run.log.read_text(encoding="utf-8")
        assert run.read_manifest()["state"] == "failed"
        assert_can_be_resumed(run, whole.read_manifest()["weights_sha256"])
        steps = EventAccumulator(str(run.path)).Reload().Scalars("curves/val/loss")
        assert [event.step for event in steps] == [1, 2, 3, 4]

    @pytest.mark.slow
    def test_while_writing_results(
        self, monkeypatch: pytest.MonkeyPatch, small_run: RunDirectory
    ) -> None:
        with monkeypatch.context() as patch:
            patch.setattr("csvision.run.train.write_results", raise_disk_full)
            with pytest.raises(RunError, match="cannot be written: No space left on device"):
                csvision.train(*SMALL_RUN)
        run = only_run()
        assert run.read_manifest()["state"] == "failed"
        assert_can_be_resumed(run, small_run.read_manifest()["weights_sha256"])


def raise_disk_full(evaluation: object, metrics: object, folder: Path) -> None:
    raise OSError(errno.ENOSPC, "No space left on device", str(folder / "predictions.csv"))


@pytest.mark.slow
@pytest.mark.parametrize("callback", [HistoryCallback, CheckpointCallback])
def test_deleted_directory_is_not_created_again(
    callback: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    original: Callable[..., None] = callback.on_train_epoch_end

    def delete_run(self: Any, trainer: Trainer, *args: Any) -> None:
        if trainer.current_epoch == 1:
            shutil.rmtree(only_run().path)
        original(self, trainer, *args)

    monkeypatch.setattr(callback, "on_train_epoch_end", delete_run)
    with pytest.raises(RunError, match="was deleted during the run"):
        csvision.train(*SMALL_RUN)
    assert [*Path("outputs").glob("runs/*")] == []


@pytest.mark.slow
@pytest.mark.parametrize("name", ["a folder with spaces", "größe=1,5", "実験"])
def test_output_dir_may_have_any_name(name: str) -> None:
    result = csvision.train(*SMALL_RUN, "epochs=1", f"output_dir={name}")
    assert result.directory.is_relative_to(Path(name).absolute())
    assert csvision.reproduce(result.directory).equal
    csvision.evaluate(result.directory)


@pytest.mark.parametrize(
    "message",
    [
        "CUDA out of memory. Tried to allocate 20.00 GiB",
        "MPS backend out of memory (MPS allocated: 1 GB)",
        "[enforce fail at alloc_cpu.cpp:121] data. DefaultCPUAllocator: can't allocate memory",
    ],
)
def test_too_little_memory_names_the_batch_size(message: str, small_run: RunDirectory) -> None:
    with (
        pytest.raises(RunError, match="batch_size=512 does not fit into memory; reduce it"),
        translate_system_errors(small_run, 512, MLP),
    ):
        raise RuntimeError(message)


@pytest.mark.parametrize(
    "error", [OSError(errno.ENOENT, "missing", "/elsewhere"), RuntimeError("a bug")]
)
def test_other_errors_are_not_translated(error: Exception, small_run: RunDirectory) -> None:
    with pytest.raises(type(error)) as raised, translate_system_errors(small_run, 512, MLP):
        raise error
    assert raised.value is error


class TestErrorsOfACustomNetwork:
    MODEL = CustomModelConfig(ModelName.custom, "net.py:Net", {})

    def run_file(self, code: str) -> None:
        Path("net.py").write_text(code, encoding="utf-8")
        exec(compile(code, "net.py", "exec"), {})

    @pytest.mark.parametrize(
        "code",
        [
            "raise OSError(28, 'No space left on device')",
            "raise OSError(28, 'No space left on device', 'small_run/file')",
            "open('missing.txt')",
            "open('small_run/missing.txt')",
        ],
    )
    def test_are_not_those_of_the_run_directory(self, code: str, small_run: RunDirectory) -> None:
        with (
            pytest.raises(OSError, match="No s") as raised,
            translate_system_errors(small_run, 512, self.MODEL),
        ):
            self.run_file(code)
        assert type(raised.value) in (OSError, FileNotFoundError)

    def test_in_a_thread_are_printed(
        self, small_run: RunDirectory, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        printed: list[threading.ExceptHookArgs] = []
        monkeypatch.setattr(threading, "excepthook", printed.append)
        code = (
            "import threading\n"
            "def f():\n    raise OSError(28, 'No space left on device')\n"
            "thread = threading.Thread(target=f)\nthread.start()\nthread.join()"
        )
        with translate_system_errors(small_run, 512, self.MODEL):
            self.run_file(code)
        assert [arguments.exc_type for arguments in printed] == [OSError]

    def test_of_its_run_directory_are_still_translated(self, small_run: RunDirectory) -> None:
        with (
            pytest.raises(RunError, match="cannot be written: No space left on device"),
            translate_system_errors(small_run, 512, self.MODEL),
        ):
            raise OSError(errno.ENOSPC, "No space left on device")

"""A sweep locks its folder, and says how to resume if it is stopped."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from threading import Thread

import pytest

from csvision.cli.sweep_session import (
    JOBLIB_LAUNCHER,
    SESSION,
    WorkerSignals,
    stop_workers_on_signals,
    sweep_session,
)
from csvision.cli.sweep_worker import STOP_FILE
from csvision.errors import RunError
from csvision.run.directory import RunDirectory
from csvision.run.sweep_folder import is_sweep
from csvision.signals import SIGNALS, RunInterrupted

MASK = "import signal; print(*sorted(map(int, signal.pthread_sigmask(signal.SIG_BLOCK, []))))"
"""A program that prints the signals that are blocked."""


def start(name: str = "sweep", launcher: str = "basic") -> Path:
    """Start a sweep without jobs; return its folder."""
    folder = Path(name).absolute()
    SESSION.start(folder, [], launcher)
    return folder


def raising(error: BaseException) -> Callable[[], None]:
    """Return a function that raises an error."""

    def fail() -> None:
        raise error

    return fail


def error_of_sweep(
    action: Callable[[], None], launcher: str = "basic"
) -> KeyboardInterrupt | SystemExit:
    """Start a sweep, call a function, and return the exception with which the sweep ends."""
    try:
        with sweep_session():
            start(launcher=launcher)
            action()
    except (KeyboardInterrupt, SystemExit) as error:
        return error
    raise AssertionError("the sweep did not end")


def test_folder_is_locked_until_the_end() -> None:
    with sweep_session():
        folder = start()
        assert is_sweep(folder)
        with pytest.raises(RunError, match="running in another process"):
            RunDirectory(folder).lock().__enter__()
    with RunDirectory(folder).lock():
        pass


@pytest.mark.parametrize("file", ["sweep.json", "multirun.yaml"])
def test_folder_with_a_sweep_is_refused_and_not_changed(file: str) -> None:
    Path("sweep").mkdir()
    Path("sweep", file).write_text("before", encoding="utf-8")
    with sweep_session(), pytest.raises(RunError, match=r"already contains a sweep; .*resume"):
        start()
    assert Path("sweep", file).read_text(encoding="utf-8") == "before"


def test_folder_that_cannot_be_created_is_refused() -> None:
    Path("file").touch()
    with sweep_session(), pytest.raises(RunError, match="cannot be written"):
        start("file/sweep")


@pytest.mark.slow
@pytest.mark.parametrize("launcher", ["basic", JOBLIB_LAUNCHER])
@pytest.mark.parametrize("number", SIGNALS)
def test_signal_between_jobs_ends_in_one_line(
    number: signal.Signals, launcher: str, capsys: pytest.CaptureFixture[str]
) -> None:
    before = [signal.getsignal(each) for each in SIGNALS]

    def receive() -> None:
        os.kill(os.getpid(), number)
        # Not one long pause: another thread may receive the signal.
        while True:
            time.sleep(0.01)

    error = error_of_sweep(receive, launcher)
    code = 130 if isinstance(error, KeyboardInterrupt) else error.code
    assert code == 128 + number
    *_, line = capsys.readouterr().out.splitlines()
    assert line == "interrupted; to resume the sweep: csvision resume run=sweep"
    assert [signal.getsignal(each) for each in SIGNALS] == before
    assert signal.pthread_sigmask(signal.SIG_BLOCK, []) == set()
    assert not Path("sweep", STOP_FILE).exists()


def test_killed_worker_ends_in_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    error = error_of_sweep(raising(BrokenProcessPool("a long explanation\nof loky")))
    assert isinstance(error, SystemExit)
    assert error.code == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("error: a worker process was killed")
    assert line.endswith("csvision resume run=sweep")


@pytest.mark.parametrize("error", [SystemExit(2), SystemExit(1), SystemExit("text")])
def test_other_exits_print_no_line(error: SystemExit, capsys: pytest.CaptureFixture[str]) -> None:
    assert error_of_sweep(raising(error)) is error
    assert capsys.readouterr().out == ""


def test_sweep_that_has_ended_is_not_interrupted(capsys: pytest.CaptureFixture[str]) -> None:
    def interrupt() -> None:
        SESSION.finish()
        raise KeyboardInterrupt

    assert isinstance(error_of_sweep(interrupt), KeyboardInterrupt)
    assert capsys.readouterr().out == ""


def test_processes_started_with_joblib_inherit_blocked_signals(tmp_path: Path) -> None:
    command = [sys.executable, "-c", MASK]
    with stop_workers_on_signals(tmp_path):
        inside = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    outside = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert inside.split() == [str(int(number)) for number in sorted(SIGNALS)]
    assert outside.split() == []


class TestWorkerSignals:
    @pytest.fixture
    def manifest(self, tmp_path: Path) -> Path:
        """Return the run.json of a running job."""
        path = tmp_path / "0_mlp/run.json"
        path.parent.mkdir()
        path.write_text(json.dumps({"state": "running"}), encoding="utf-8")
        return path

    @pytest.mark.slow
    def test_first_signal_waits_until_no_job_runs(self, manifest: Path, tmp_path: Path) -> None:
        def save() -> None:
            while not (tmp_path / STOP_FILE).exists():
                time.sleep(0.01)
            time.sleep(0.6)
            manifest.write_text(json.dumps({"state": "interrupted"}), encoding="utf-8")

        saver = Thread(target=save)
        saver.start()
        with pytest.raises(RunInterrupted):
            WorkerSignals(tmp_path).handle(signal.SIGTERM, None)
        assert "interrupted" in manifest.read_text(encoding="utf-8")
        saver.join()

    def test_second_signal_ends_at_once(self, manifest: Path, tmp_path: Path) -> None:
        signals = WorkerSignals(tmp_path)
        signals.pending = signal.SIGINT
        with pytest.raises(RunInterrupted):
            signals.handle(signal.SIGINT, None)
        assert "running" in manifest.read_text(encoding="utf-8")

    @pytest.mark.slow
    @pytest.mark.parametrize("content", ["", "[]", "{"])
    def test_damaged_manifest_is_not_waited_for(
        self, content: str, manifest: Path, tmp_path: Path
    ) -> None:
        manifest.write_text(content, encoding="utf-8")
        with pytest.raises(RunInterrupted):
            WorkerSignals(tmp_path).handle(signal.SIGTERM, None)

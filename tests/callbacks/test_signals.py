"""Signals: save, show the resume command, end with code 128 + number."""

import os
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path
from threading import Thread

import pytest
import torch

import csvision
from csvision.command_hints import display_path
from csvision.run.directory import RunDirectory
from csvision.signals import SIGNALS, RunInterrupted, handle_signals
from tests.cli.conftest import RunCommand
from tests.conftest import ROOT, SMALL_MLP, SMALL_RUN, SMALL_TRAINING
from tests.run.interrupt import signaling_model

NEVER = 10**6

pytestmark = pytest.mark.usefixtures("digits_csv")


def signaling_run(at: int, number: int = signal.SIGTERM, times: int = 1) -> tuple[str, ...]:
    """Return the overrides of a run that raises a signal in one step."""
    return (*SMALL_TRAINING, *signaling_model(at, number, times))


def only_run() -> RunDirectory:
    (path,) = Path("outputs").absolute().glob("runs/*")
    return RunDirectory(path)


def resume_hint(output: str) -> list[str]:
    """Return the words of the command that is shown after an interruption."""
    _, found, command = output.partition("to resume: ")
    assert found
    return shlex.split(command.splitlines()[0])


@pytest.mark.slow
@pytest.mark.parametrize("at", [1, 5, 8, 20])
def test_signal_saves_a_checkpoint_of_the_current_step(
    at: int, capsys: pytest.CaptureFixture[str]
) -> None:
    whole = csvision.train(*signaling_run(NEVER), "output_dir=whole").directory
    with pytest.raises(SystemExit) as ended:
        csvision.train(*signaling_run(at))
    assert ended.value.code == 128 + signal.SIGTERM
    run = only_run()
    assert run.read_manifest()["state"] == "interrupted"
    assert run.last.exists()
    output = capsys.readouterr().out
    assert "SIGTERM: saving" in output
    expected = ["resume", f"run={display_path(run.path)}", "model.path=net.py:Net"]
    assert resume_hint(output)[-3:] == expected
    csvision.resume(run.path, "net.py:Net")
    expected = RunDirectory(whole).read_manifest()["weights_sha256"]
    assert run.read_manifest()["weights_sha256"] == expected


def test_epoch_too_short_to_be_saved_is_saved_after_a_signal(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("csvision.callbacks.checkpoint.MAX_SAVE_FRACTION", 1e-9)
    with pytest.raises(SystemExit):
        # The last step of the second epoch.
        csvision.train(*signaling_run(16))
    assert torch.load(only_run().last, weights_only=True)["global_step"] == 16


def test_resume_command_can_be_pasted_if_the_path_has_spaces(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(KeyboardInterrupt):
        csvision.train(*signaling_run(5, signal.SIGINT), "output_dir=my runs")
    command, argument, _ = resume_hint(capsys.readouterr().out)[-3:]
    assert command == "resume"
    assert "my runs" in argument
    assert Path(argument.removeprefix("run=")).is_dir()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("number", "error", "code"),
    [
        (signal.SIGINT, KeyboardInterrupt, None),
        (signal.SIGTERM, SystemExit, 143),
        (signal.SIGUSR1, SystemExit, 138),
        (signal.SIGHUP, SystemExit, 129),
    ],
)
def test_signal_ends_training_with_the_conventional_error(
    number: int, error: type[BaseException], code: int | None
) -> None:
    with pytest.raises(error) as raised:
        csvision.train(*signaling_run(5, number))
    assert getattr(raised.value, "code", None) == code
    assert only_run().last.exists()


def test_second_signal_ends_training_without_a_checkpoint() -> None:
    with pytest.raises(SystemExit):
        csvision.train(*signaling_run(5, times=2))
    assert only_run().read_manifest()["state"] == "interrupted"
    assert not only_run().last.exists()


@pytest.mark.slow
def test_previous_handlers_are_restored() -> None:
    before = [signal.getsignal(number) for number in SIGNALS]
    csvision.train(*SMALL_RUN, "epochs=1")
    assert [signal.getsignal(number) for number in SIGNALS] == before
    with pytest.raises(SystemExit):
        csvision.train(*signaling_run(5))
    assert [signal.getsignal(number) for number in SIGNALS] == before


@pytest.mark.slow
def test_signal_that_the_parent_process_ignores_stays_ignored() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        result = csvision.train(*signaling_run(5, signal.SIGHUP))
        assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)
    assert RunDirectory(result.directory).read_manifest()["state"] == "finished"


def test_signal_outside_of_training_ends_immediately() -> None:
    with pytest.raises(SystemExit) as ended, handle_signals():
        signal.raise_signal(signal.SIGUSR1)
    assert ended.value.code == 128 + signal.SIGUSR1


@pytest.mark.slow
def test_training_works_outside_the_main_thread() -> None:
    results = []
    thread = Thread(target=lambda: results.append(csvision.train(*SMALL_RUN, "epochs=1")))
    thread.start()
    thread.join()
    assert "test/acc" in results[0].metrics


def test_interruption_is_not_an_exception_that_handlers_catch() -> None:
    assert not issubclass(RunInterrupted, Exception)


CODES = [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGUSR1, 138)]


@pytest.mark.slow
@pytest.mark.parametrize(("number", "code"), CODES)
def test_command_ends_with_the_conventional_code(
    number: int, code: int, csvision_command: RunCommand
) -> None:
    output = csvision_command("train", *signaling_run(5, number))
    assert output.code == code
    assert "Traceback" not in output.err
    assert Path(resume_hint(output.out)[-2].removeprefix("run=")).absolute() == only_run().path
    assert only_run().read_manifest()["state"] == "interrupted"


@pytest.mark.slow
def test_signal_of_another_process_ends_the_command() -> None:
    overrides = (*SMALL_TRAINING, *SMALL_MLP, "epochs=100000", "checkpoint_interval_seconds=0.01")
    script = str(ROOT / "scripts" / "train.py")
    process = subprocess.Popen(
        [sys.executable, script, *overrides],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    deadline = time.monotonic() + 60
    try:
        while not any(Path("outputs").glob("runs/*/checkpoints/previous.ckpt")):
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.01)
        os.kill(process.pid, signal.SIGTERM)
        output, errors = process.communicate(timeout=60)
    finally:
        process.kill()
        process.communicate()
    assert process.returncode == 128 + signal.SIGTERM
    assert "Traceback" not in errors
    assert Path(resume_hint(output)[-1].removeprefix("run=")).absolute() == only_run().path
    assert only_run().read_manifest()["state"] == "interrupted"

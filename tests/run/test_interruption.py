"""Signals: a run under way saves, says how to go on, and ends with the conventional code."""

import os
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path
from threading import Thread

import pytest

import csvision
from csvision.run.directory import RunDirectory
from csvision.run.interruption import SIGNALS, Interrupted, interruptible
from tests.conftest import ROOT
from tests.run.small import NO_MODEL, SMALL, manifest

SIGNALLING_NET = """
import signal
from pathlib import Path
from torch import nn

class Net(nn.Module):
    passes = 0

    def __init__(self, image_shape, classes, at, number, times=1):
        super().__init__()
        self.at, self.number, self.times = at, number, times
        self.layers = nn.Sequential(nn.Flatten(), nn.Dropout(0.2), nn.Linear(784, classes))

    def forward(self, images):
        if self.training:
            Net.passes += 1
            if Net.passes == self.at and not Path("signalled").exists():
                Path("signalled").touch()
                for _ in range(self.times):
                    signal.raise_signal(self.number)
        return self.layers(images)
"""


def own(at: int, number: int = signal.SIGTERM, times: int = 1) -> tuple[str, ...]:
    Path("net.py").write_text(SIGNALLING_NET, encoding="utf-8")
    arguments = f"model.arguments={{at:{at},number:{int(number)},times:{times}}}"
    return (*NO_MODEL, "model=custom", "model.path=net.py:Net", arguments)


def only_run() -> RunDirectory:
    (path,) = Path("outputs").glob("runs/*")
    return RunDirectory(path)


@pytest.mark.parametrize("at", [1, 5, 8, 20])
def test_a_run_saves_the_batch_and_ends(at: int, capsys: pytest.CaptureFixture[str]) -> None:
    expected = manifest(csvision.train(*own(10**6), "outputs=whole").directory)
    with pytest.raises(SystemExit) as ended:
        csvision.train(*own(at))
    assert ended.value.code == 128 + signal.SIGTERM
    run = only_run()
    assert manifest(run)["state"] == "interrupted"
    assert run.last.exists()
    said = capsys.readouterr().out
    assert "SIGTERM: saving" in said
    assert f"to go on: python scripts/resume.py run={run.path}" in said
    csvision.resume(run.path, "net.py:Net")
    assert manifest(run)["weights_sha256"] == expected["weights_sha256"]


def test_a_path_can_be_pasted(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(KeyboardInterrupt):
        csvision.train(*own(5, signal.SIGINT), "outputs=my runs")
    hint = next(line for line in capsys.readouterr().out.splitlines() if "to go on: " in line)
    words = shlex.split(hint.partition("to go on: ")[2])
    assert words[:2] == ["python", "scripts/resume.py"]
    assert Path(words[2].removeprefix("run=")).is_dir()


def test_a_sweep_goes_on_as_a_whole() -> None:
    script = str(ROOT / "scripts" / "train.py")
    command = [sys.executable, script, "-m", *own(5, signal.SIGINT), "seed=0,1"]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert ended.returncode == 130
    (sweep,) = Path("outputs/sweeps").iterdir()
    assert ended.stdout.splitlines()[-1].endswith(f"resume.py run={sweep}")
    assert csvision.resume_sweep(sweep, "net.py:Net")
    assert len([*sweep.glob("*/metrics.json")]) == 2


def test_ctrl_c_is_a_keyboard_interrupt() -> None:
    with pytest.raises(KeyboardInterrupt):
        csvision.train(*own(5, signal.SIGINT))
    assert only_run().last.exists()


def test_the_second_signal_does_not_wait() -> None:
    with pytest.raises(SystemExit):
        csvision.train(*own(5, times=2))
    assert manifest(only_run())["state"] == "interrupted"
    assert not only_run().last.exists()


def test_handlers_are_put_back() -> None:
    before = [signal.getsignal(number) for number in SIGNALS]
    csvision.train(*SMALL, "epochs=1")
    with pytest.raises(SystemExit):
        csvision.train(*own(5))
    assert [signal.getsignal(number) for number in SIGNALS] == before


def test_where_nothing_waits_a_signal_ends_at_once() -> None:
    with pytest.raises(SystemExit) as ended, interruptible():
        signal.raise_signal(signal.SIGUSR1)
    assert ended.value.code == 128 + signal.SIGUSR1


def test_outside_the_main_thread_runs_train_all_the_same() -> None:
    found = []
    thread = Thread(target=lambda: found.append(csvision.train(*SMALL, "epochs=1")))
    thread.start()
    thread.join()
    assert "test/acc" in found[0].metrics


def test_interrupted_is_no_fault() -> None:
    assert not issubclass(Interrupted, Exception)


@pytest.mark.parametrize(
    ("number", "code"),
    [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGUSR1, 138)],
    ids=["Ctrl-C", "terminate", "Slurm"],
)
def test_the_command_ends_with_the_conventional_code(number: int, code: int) -> None:
    script = str(ROOT / "scripts" / "train.py")
    overrides = [override for override in SMALL if not override.startswith("epochs")]
    process = subprocess.Popen(
        [sys.executable, script, *overrides, "epochs=100000", "checkpoint_seconds=0.01"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    patience = time.monotonic() + 60
    while not any(Path("outputs").glob("runs/*/checkpoints/previous.ckpt")):
        assert process.poll() is None
        assert time.monotonic() < patience
        time.sleep(0.01)
    os.kill(process.pid, number)
    out, complaints = process.communicate(timeout=60)
    assert process.returncode == code
    assert "Traceback" not in complaints
    assert f"resume.py run={only_run().path.absolute()}" in out
    assert manifest(only_run())["state"] == "interrupted"

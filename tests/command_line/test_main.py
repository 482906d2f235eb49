"""The exit codes: 0 for success, 2 and a line each for mistakes, a traceback for faults."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

SCRIPTS = Path(__file__).parents[2] / "scripts"
SMALL = (
    "data=csv",
    "data.csv=digits.csv",
    "model=mlp",
    "model.hidden=[8]",
    "epochs=1",
    "accelerator=cpu",
    "logger=none",
)


def run_script(name: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, SCRIPTS / name, *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def faults_of(name: str, *arguments: str) -> list[str]:
    """The lines with which a script refuses; it has then left nothing behind."""
    before = sorted(Path().rglob("*"))
    result = run_script(name, *arguments)
    assert result.returncode == 2
    assert result.stdout == ""
    assert sorted(Path().rglob("*")) == before
    lines = result.stderr.splitlines()
    assert lines
    assert all(line.startswith("error: ") for line in lines)
    return lines


class TestMistake:
    @pytest.mark.parametrize(
        ("arguments", "told"),
        [
            (["sed=1"], "there is no key sed; did you mean seed?"),
            (["seed=many"], "seed=many: "),
            (["model=rnn"], "model=rnn: there is none; choose from cnn, custom, mlp"),
            (["seed=0,1"], "needs -m"),
            (["data.classes=[a"], "cannot be read as KEY=VALUE"),
            (["data=csv"], "data.csv is missing: write data.csv=VALUE"),
            (["--fast"], "there is no option --fast"),
            (["seed=1", "--cfg", "job", "epochs=2"], "epochs=2: an option parts it"),
            (["seed=0,1", "-m", "--cfg", "job"], "--multirun and --cfg exclude each other"),
            (["--experimental-rerun", "x.pkl"], "would execute a pickle"),
            (["=1"], "there is no key before the ="),
            (["hydra.run.dir=${nothing}"], "nothing"),
        ],
        ids=str,
    )
    def test_in_the_configuration_is_told_in_one_line(
        self, arguments: list[str], told: str
    ) -> None:
        (fault,) = faults_of("train.py", *arguments)
        assert told in fault

    def test_in_values_are_told_together(self) -> None:
        faults = faults_of("train.py", "optimizer.lr=-1", "epochs=0", "model.dropout=2")
        assert [fault.split()[1] for fault in faults] == [
            "model.dropout=2.0",
            "optimizer.lr=-1.0",
            "epochs=0",
        ]

    def test_in_the_data_is_told_before_a_directory_is_made(self) -> None:
        (fault,) = faults_of("train.py", "data=csv", "data.csv=nowhere.csv")
        assert fault == "error: nowhere.csv: there is no such file; check data.csv"

    def test_in_the_run_is_told(self) -> None:
        assert faults_of("evaluate.py") == ["error: run is missing: write run=VALUE"]
        (fault,) = faults_of("evaluate.py", "run=nowhere")
        assert fault == "error: run=nowhere: there is no such folder"
        assert len(faults_of("predict.py")) == 2


class TestSuccess:
    def test_shows_the_configuration_and_trains_nothing(self) -> None:
        result = run_script("train.py", "seed=3", "--cfg", "job")
        assert (result.returncode, result.stderr) == (0, "")
        assert "\nseed: 3\n" in result.stdout
        assert not list(Path().iterdir())


ODD = """
import sys
from torch import nn

class Odd(nn.Module):
    def __init__(self, image_shape, classes):
        super().__init__()
        self.layers = nn.Sequential(nn.Flatten(), nn.Linear(64, classes))

    def forward(self, images):
        if self.training:
            raise RuntimeError("odd")
        return self.layers(images)
"""


@pytest.mark.usefixtures("digits_csv")
class TestFault:
    own = ("data=csv", "data.csv=digits.csv", "accelerator=cpu", "logger=none")

    def test_keeps_its_traceback_and_ends_with_1(self) -> None:
        Path("odd.py").write_text(ODD, encoding="utf-8")
        result = run_script("train.py", *self.own, "model=custom", "model.path=odd.py:Odd")
        assert result.returncode == 1
        assert "Traceback (most recent call last)" in result.stderr
        assert result.stderr.endswith("RuntimeError: odd\n")

    def test_by_interruption_ends_with_130_and_a_record(self) -> None:
        command = [sys.executable, str(SCRIPTS / "train.py"), *SMALL, "epochs=100000"]
        # A program started in the background ignores Ctrl-C, and so would what it starts.
        handler = signal.signal(signal.SIGINT, signal.default_int_handler)
        process = subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
        )
        signal.signal(signal.SIGINT, handler)
        try:
            directory = wait_for_two_epochs()
            process.send_signal(signal.SIGINT)
            _, errors = process.communicate(timeout=60)
        finally:
            process.kill()
            process.communicate()
        assert process.returncode == 130
        assert errors.endswith("interrupted\n")
        assert "Traceback" not in errors
        manifest = json.loads((directory / "run.json").read_text(encoding="utf-8"))
        assert manifest["state"] == "interrupted"
        assert (directory / "checkpoints/last.ckpt").is_file()


def wait_for_two_epochs() -> Path:
    """The directory of the run that has trained for two epochs."""
    end = time.monotonic() + 120
    while time.monotonic() < end:
        for history in Path("outputs/runs").glob("*/history.csv"):
            if history.read_text(encoding="utf-8").count(os.linesep) > 2:
                return history.parent
        time.sleep(0.05)
    raise AssertionError("no epoch in two minutes")

"""What each epoch leaves behind: a row of history, a line, points of curves, no bar."""

import contextlib
import fcntl
import os
import pty
import re
import struct
import subprocess
import sys
import termios
from pathlib import Path

import pandas as pd
import pytest
from tensorboard.backend.event_processing import event_accumulator

import csvision
from csvision.run.progress import epoch_line

SMALL = (
    "data=csv",
    "data.csv=digits.csv",
    "model=mlp",
    "model.hidden=[8]",
    "epochs=3",
    "batch_size=64",
    "accelerator=cpu",
)

pytestmark = pytest.mark.usefixtures("digits_csv")


def read_history(directory: Path) -> pd.DataFrame:
    return pd.read_csv(directory / "history.csv")


class TestHistory:
    def test_has_the_rate_with_which_each_epoch_begins(self) -> None:
        schedule = ("scheduler=step", "scheduler.every=1", "scheduler.gamma=0.1")
        overrides = (*SMALL, "logger=none", *schedule, "optimizer=sgd", "optimizer.lr=0.5")
        history = read_history(csvision.train(*overrides).directory)
        assert [*history["lr"]] == pytest.approx([0.5, 0.05, 0.005])

    def test_tells_of_learning(self) -> None:
        overrides = (*SMALL, "logger=none", "epochs=6", "optimizer.lr=0.03")
        history = read_history(csvision.train(*overrides).directory)
        assert history["train/loss"].is_monotonic_decreasing
        assert history["val/acc"].iloc[-1] > history["val/acc"].iloc[0]
        assert (history["seconds"] > 0).all()

    def test_is_what_the_curves_show(self) -> None:
        directory = csvision.train(*SMALL).directory
        history = read_history(directory).set_index("epoch")
        curves = event_accumulator.EventAccumulator(str(directory)).Reload()
        for name in ("lr", "train/loss", "val/loss", "val/acc", "seconds"):
            points = {point.step: point.value for point in curves.Scalars(name)}
            assert points == pytest.approx(history[name].to_dict(), rel=1e-6)


class TestLine:
    def test_is_printed_for_each_epoch(self, capsys: pytest.CaptureFixture[str]) -> None:
        directory = csvision.train(*SMALL, "logger=none").directory
        validation = r"val/loss \d\.\d{4}  val/acc \d\.\d{4}"
        lines = re.findall(
            rf"^epoch (\d)/3  train/loss (\d\.\d{{4}})  {validation}  \d+\.\d s$",
            capsys.readouterr().out,
            re.MULTILINE,
        )
        losses = read_history(directory)["train/loss"]
        assert lines == [(str(index + 1), f"{loss:.4f}") for index, loss in enumerate(losses)]

    def test_is_shorter_without_validation_rows(self) -> None:
        line = epoch_line({"epoch": 2, "train/loss": 0.25, "seconds": 1.26, "lr": 0.1}, epochs=9)
        assert line == "epoch 2/9  train/loss 0.2500  1.3 s"


def on_terminal(command: list[str]) -> bytes:
    """What a command writes to a terminal of 100 columns."""
    controller, terminal = pty.openpty()
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 100, 0, 0))
    process = subprocess.Popen(command, stdout=terminal, stderr=terminal)
    os.close(terminal)
    output = bytearray()
    # Linux ends a terminal without writers with an error.
    with contextlib.suppress(OSError):
        while piece := os.read(controller, 4096):
            output += piece
    os.close(controller)
    assert process.wait(timeout=120) == 0
    return bytes(output)


def screen(output: str) -> list[str]:
    """The lines that stand on the screen at the end."""
    lines: list[list[str]] = [[]]
    row = column = 0
    for sign in re.findall(r"\x1b\[A|.", output, re.DOTALL):
        if sign == "\x1b[A":
            row -= 1
        elif sign == "\r":
            column = 0
        elif sign == "\n":
            row += 1
            lines += [[]] * (row == len(lines))
        else:
            line = lines[row] = lines[row] + [" "] * (column + 1 - len(lines[row]))
            line[column] = sign
            column += 1
    return ["".join(line).rstrip() for line in lines]


def test_bars_are_gone_from_a_terminal_when_they_are_done() -> None:
    script = Path(__file__).parents[2] / "scripts" / "train.py"
    output = on_terminal([sys.executable, str(script), *SMALL, "logger=none"]).decode()
    for epoch in (1, 2, 3):
        assert f"epoch {epoch}: 100%|" in output
    assert "Testing DataLoader 0: 100%|" in output
    shown = screen(output)
    assert [line[:9] for line in shown if line.startswith("epoch")] == [
        "epoch 1/3",
        "epoch 2/3",
        "epoch 3/3",
    ]
    assert not [line for line in shown if "|" in line or "it/s" in line]

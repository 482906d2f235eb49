"""EpochProgressBar: shown on a terminal during an epoch, and without effect on the results."""

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

import pytest

import csvision
from csvision.run.directory import RunDirectory
from tests.conftest import ROOT, SMALL_MLP, SMALL_RUN, SMALL_TRAINING


def run_in_terminal(command: list[str]) -> str:
    """Return what a command writes to a terminal of 100 columns."""
    controller, terminal = pty.openpty()
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 100, 0, 0))
    process = subprocess.Popen(command, stdout=terminal, stderr=terminal)
    os.close(terminal)
    output = bytearray()
    # On Linux, reading from a terminal without writers raises an error.
    with contextlib.suppress(OSError):
        while chunk := os.read(controller, 4096):
            output += chunk
    os.close(controller)
    assert process.wait(timeout=120) == 0
    return output.decode()


def final_screen(output: str) -> list[str]:
    """Return the lines that are visible at the end."""
    lines: list[list[str]] = [[]]
    row = column = 0
    for character in re.findall(r"\x1b\[A|.", output, re.DOTALL):
        if character == "\x1b[A":
            row -= 1
        elif character == "\r":
            column = 0
        elif character == "\n":
            row += 1
            lines += [[]] * (row == len(lines))
        else:
            line = lines[row] = lines[row] + [" "] * (column + 1 - len(lines[row]))
            line[column] = character
            column += 1
    return ["".join(line).rstrip() for line in lines]


@pytest.mark.slow
def test_bars_disappear_when_they_are_complete(digits_csv: Path) -> None:
    overrides = (*SMALL_TRAINING, *SMALL_MLP, "epochs=3", "quiet=false")
    output = run_in_terminal([sys.executable, str(ROOT / "scripts" / "train.py"), *overrides])
    for epoch in (1, 2, 3):
        assert f"epoch {epoch}: 100%|" in output
    assert "Testing DataLoader 0: 100%|" in output
    screen = final_screen(output)
    assert [line[:9] for line in screen if line.startswith("epoch")] == [
        "epoch 1/3",
        "epoch 2/3",
        "epoch 3/3",
    ]
    assert not [line for line in screen if "|" in line or "it/s" in line]


@pytest.mark.slow
def test_bar_does_not_change_the_weights(
    digits_csv: Path,
    small_run: RunDirectory,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    result = csvision.train(*SMALL_RUN, "quiet=false")
    assert "it/s" in capsys.readouterr().out
    expected = small_run.read_manifest()["weights_sha256"]
    assert RunDirectory(result.directory).read_manifest()["weights_sha256"] == expected

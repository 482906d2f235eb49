"""Attacks on the installed command: what is typed, and what must hold afterwards.

Each attack is a line for the shell, run in a folder with digits.csv (60 real 8x8 digits) and with
TRAIN, a training of half a second, as a variable: `csvision $TRAIN seed=-1`.
"""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest

TRAIN = (
    "train data=csv data.csv=digits.csv data.val_size=0.25 model=mlp model.hidden=[8] "
    "epochs=1 batch_size=16 logger=none accelerator=cpu accelerator.num_threads=1"
)

SCRIPTS = Path(sys.executable).parent
"""The folder of the installed command."""


@dataclass(frozen=True)
class Result:
    """What an attack has left behind."""

    folder: Path
    exit_code: int
    output: str
    errors: str

    @property
    def text(self) -> str:
        """Everything that was printed."""
        return self.output + self.errors

    @property
    def manifests(self) -> list[Path]:
        """The run.json of every run."""
        return sorted(self.folder.rglob("run.json"))


Check = Callable[[Result], None]


@dataclass(frozen=True)
class Attack:
    """A line for the shell with its exit code and the words that it must print.

    A user's error (exit code 2) prints lines that start with `error:` and leaves no run behind,
    unless the run had started (`keeps_run`). Only an error of the user's own code shows a
    traceback (`shows_traceback`).
    `prepare` changes the folder first; `checks` examine the result. A `thorough` attack takes
    seconds and is left out of the normal suite.
    """

    name: str
    command: str
    exit_code: int = 2
    says: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    prepare: Callable[[Path], None] | None = None
    checks: tuple[Check, ...] = ()
    keeps_run: bool = False
    shows_traceback: bool = False
    thorough: bool = False
    timeout_seconds: float = 60


def attack_parameters(*attacks: Attack) -> pytest.MarkDecorator:
    """Return the decorator that runs a test once for each attack."""
    marks = {True: (pytest.mark.slow, pytest.mark.thorough), False: ()}
    return pytest.mark.parametrize(
        "attack",
        [pytest.param(attack, id=attack.name, marks=marks[attack.thorough]) for attack in attacks],
    )


def run_attack(attack: Attack, folder: Path) -> Result:
    """Run an attack in a prepared folder and check what must hold for all of them."""
    if attack.prepare is not None:
        attack.prepare(folder)
    before = set(folder.rglob("run.json"))
    environment = os.environ | {
        "PATH": f"{SCRIPTS}{os.pathsep}{os.environ['PATH']}",
        "TRAIN": TRAIN,
        **attack.environment,
    }
    completed = run_shell(attack.command, folder, environment, attack.timeout_seconds)
    result = Result(folder, completed.returncode, completed.stdout, completed.stderr)
    assert result.exit_code == attack.exit_code, result.text
    assert ("Traceback" in result.text) == attack.shows_traceback, result.text
    for words in attack.says:
        assert words in result.text, result.text
    if attack.exit_code == 2:
        check_user_error(result, set(result.manifests) if attack.keeps_run else before)
    for check in attack.checks:
        check(result)
    return result


def run_shell(
    command: str, folder: Path, environment: Mapping[str, str], timeout_seconds: float
) -> "subprocess.CompletedProcess[str]":
    """Run a line of the shell; end all its processes when it ends or takes too long.

    Signals have their default actions, even if this process was started by nohup.
    """
    shell = ["env", "--default-signal=HUP,INT,PIPE", "bash", "-o", "pipefail", "-c", command]
    with subprocess.Popen(
        shell,
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        try:
            output, errors = process.communicate(timeout=timeout_seconds)
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
    return subprocess.CompletedProcess(shell, process.returncode, output, errors)


def check_user_error(result: Result, manifests_before: set[Path]) -> None:
    """Check that a user's error is reported line by line and leaves no new run."""
    errors = [line for line in result.errors.splitlines() if line.startswith("error: ")]
    assert errors, result.text
    assert set(result.manifests) == manifests_before

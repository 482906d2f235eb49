"""accelerator.compile=true: training with torch.compile."""

import subprocess
import sys
from pathlib import Path

import pytest

import csvision
from csvision.errors import ConfigError
from tests.conftest import SMALL_MLP, SMALL_TRAINING

COMPILED = (*SMALL_TRAINING, *SMALL_MLP, "accelerator.compile=true")


def run_program(program: str, *overrides: str) -> None:
    """Run a program in a process of its own: torch.compile changes the loggers of its process."""
    command = [sys.executable, "-c", program, *overrides]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr


RESUME = """
import os, sys
import csvision, torch
from tests.run.interrupt import train_until

overrides = sys.argv[1:]
whole = csvision.train(*overrides)
checkpoint = torch.load(whole.directory / "checkpoints/last.ckpt", weights_only=True)
assert not [name for name in checkpoint["state_dict"] if "_orig_mod" in name]

interrupted = train_until(11, overrides)
assert csvision.resume(interrupted.path).metrics == whole.metrics

os.environ["CXX"] = "no-compiler"
evaluated = csvision.evaluate(run=whole.directory).metrics
assert evaluated["test/acc"] == whole.metrics["test/acc"]
"""


@pytest.mark.slow
def test_compiled_run_is_resumed_to_the_same_bits_and_evaluated_without_a_compiler(
    digits_csv: Path, monkeypatch: pytest.MonkeyPatch, pytestconfig: pytest.Config
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(pytestconfig.rootpath))
    run_program(RESUME, *COMPILED, "model.dropout=0.2")


COMPARE = """
import sys
import csvision, pytest

compiled = csvision.train(*sys.argv[1:]).metrics
eager = csvision.train(*sys.argv[1:], "accelerator.compile=false").metrics
assert compiled["train/loss"] == pytest.approx(eager["train/loss"], rel=1e-4)
"""


@pytest.mark.slow
def test_compiled_run_has_the_losses_of_an_uncompiled_one(digits_csv: Path) -> None:
    # torch.compile draws other random numbers for dropout.
    run_program(COMPARE, *COMPILED, "model.dropout=0")


def test_missing_compiler_is_named(digits_csv: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CXX", "no-compiler")
    with pytest.raises(ConfigError, match=r"accelerator\.compile=true .*no-compiler.*install"):
        csvision.train(*COMPILED)


def test_several_processes_are_refused(digits_csv: Path) -> None:
    with pytest.raises(ConfigError, match=r"accelerator\.compile=true needs accelerator\.devices"):
        csvision.train(*COMPILED, "accelerator.devices=2")

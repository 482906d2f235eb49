"""Training runs that end with an error: what is recorded, and what is restored."""

import signal
import threading
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from csvision.config.compose import load_config
from csvision.errors import ConfigError
from csvision.run.directory import RunDirectory
from csvision.run.prepare import prepare_run
from csvision.run.train import train
from tests.cli.conftest import RunCommand
from tests.conftest import SMALL_TRAINING
from tests.run.interrupt import CUSTOM_MODEL

FAILING_NET = """
import builtins
from torch import nn

class Net(nn.Module):
    def __init__(self, image_shape, num_classes, steps, error):
        super().__init__()
        self.layers = nn.Sequential(nn.Flatten(), nn.Linear(64, num_classes))
        self.steps, self.error = steps, error

    def forward(self, images):
        if self.training:
            self.steps -= 1
            if self.steps < 0:
                raise getattr(builtins, self.error)("failed on purpose")
        return self.layers(images)
"""
"""A network that raises an error of a given type after a given number of training steps."""

RUN = RunDirectory(Path("run"))


@pytest.fixture(autouse=True)
def files(digits_csv: Path) -> None:
    Path("net.py").write_text(FAILING_NET, encoding="utf-8")


def train_with_error(error: str, *overrides: str) -> None:
    """Train until an error is raised in the second of two epochs."""
    custom = ("model=custom", "model.path=net.py:Net", f"model.kwargs={{steps:9,error:{error}}}")
    config = load_config("train", [*SMALL_TRAINING, *custom, "epochs=2", *overrides])
    train(prepare_run(config), RUN.path)


def test_failure_is_recorded_with_its_traceback() -> None:
    with pytest.raises(ZeroDivisionError, match="failed on purpose"):
        train_with_error("ZeroDivisionError")
    manifest = RUN.read_manifest()
    assert manifest["state"] == "failed"
    assert manifest["started"] < manifest["ended"]
    log = RUN.log.read_text(encoding="utf-8")
    assert "Traceback (most recent call last)" in log
    assert "ZeroDivisionError: failed on purpose" in log
    assert 'net.py", line' in log


def test_results_of_finished_epochs_are_kept() -> None:
    with pytest.raises(ZeroDivisionError):
        train_with_error("ZeroDivisionError")
    assert len(pd.read_csv(RUN.history)) == 1
    assert RUN.last.exists()
    assert not RUN.metrics.exists()


@pytest.mark.slow
def test_failure_leaves_no_running_thread() -> None:
    before = threading.active_count()
    with pytest.raises(ZeroDivisionError):
        train_with_error("ZeroDivisionError", "logger=tensorboard")
    assert threading.active_count() == before


@pytest.mark.slow
def test_exit_is_refused_and_recorded_as_a_failure() -> None:
    with pytest.raises(ConfigError, match=r"net\.py, line \d+ calls sys\.exit\("):
        train_with_error("SystemExit")
    assert RUN.read_manifest()["state"] == "failed"
    assert "SystemExit" in RUN.log.read_text(encoding="utf-8")
    assert len(pd.read_csv(RUN.history)) == 1


@pytest.mark.slow
def test_exit_ends_the_command_with_one_line_and_code_2(csvision_command: RunCommand) -> None:
    output = csvision_command(
        "train", *SMALL_TRAINING, *CUSTOM_MODEL, "model.kwargs={steps:9,error:SystemExit}"
    )
    assert "net.py, line" in output.error
    (manifest,) = Path("outputs").rglob("run.json")
    assert RunDirectory(manifest.parent).read_manifest()["state"] == "failed"


def test_error_of_a_file_that_the_network_opens_keeps_its_traceback() -> None:
    with pytest.raises(FileNotFoundError, match="failed on purpose"):
        train_with_error("FileNotFoundError")
    assert RUN.read_manifest()["state"] == "failed"
    assert "Traceback" in RUN.log.read_text(encoding="utf-8")


def test_generators_of_the_caller_are_restored_after_an_error() -> None:
    torch.manual_seed(5)
    np.random.seed(5)
    expected = float(torch.rand(())), float(np.random.rand())
    torch.manual_seed(5)
    np.random.seed(5)
    with pytest.raises(ZeroDivisionError):
        train_with_error("ZeroDivisionError")
    assert (float(torch.rand(())), float(np.random.rand())) == expected


def test_keyboard_interrupt_is_recorded_and_its_handler_restored() -> None:
    handler = signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt):
        train_with_error("KeyboardInterrupt")
    assert RUN.read_manifest()["state"] == "interrupted"
    assert "KeyboardInterrupt" in RUN.log.read_text(encoding="utf-8")
    assert signal.getsignal(signal.SIGINT) is handler

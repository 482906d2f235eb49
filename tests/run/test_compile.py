"""accelerator.compile=true: training with torch.compile."""

from pathlib import Path

import pytest
import torch

import csvision
from csvision.errors import ConfigError
from tests.conftest import SMALL_MLP, SMALL_TRAINING
from tests.run.interrupt import train_until

COMPILED = (*SMALL_TRAINING, *SMALL_MLP, "model.dropout=0.2", "accelerator.compile=true")


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_compiled_run_is_resumed_to_the_same_bits_and_evaluated_without_a_compiler(
    digits_csv: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = csvision.train(*COMPILED)
    checkpoint = torch.load(whole.directory / "checkpoints/last.ckpt", weights_only=True)
    assert not [name for name in checkpoint["state_dict"] if "_orig_mod" in name]

    interrupted = train_until(11, COMPILED)
    assert csvision.resume(interrupted.path).metrics == whole.metrics

    monkeypatch.setenv("CXX", "no-compiler")
    assert csvision.evaluate(run=whole.directory).metrics["test/acc"] == whole.metrics["test/acc"]


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_compiled_run_has_the_losses_of_an_uncompiled_one(digits_csv: Path) -> None:
    # torch.compile draws other random numbers for dropout.
    overrides = (*COMPILED, "model.dropout=0")
    compiled = csvision.train(*overrides).metrics
    eager = csvision.train(*overrides, "accelerator.compile=false").metrics
    assert compiled["train/loss"] == pytest.approx(eager["train/loss"], rel=1e-4)


def test_missing_compiler_is_named(digits_csv: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CXX", "no-compiler")
    with pytest.raises(ConfigError, match=r"accelerator\.compile=true .*no-compiler.*install"):
        csvision.train(*COMPILED)


def test_several_processes_are_refused(digits_csv: Path) -> None:
    with pytest.raises(ConfigError, match=r"accelerator\.compile=true needs accelerator\.devices"):
        csvision.train(*COMPILED, "accelerator.devices=2")

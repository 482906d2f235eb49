"""Early stopping: when training ends, and which weights are tested."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

import csvision
from csvision.errors import ConfigError
from csvision.run.directory import RunDirectory
from tests.conftest import SMALL_MLP, SMALL_TRAINING

pytestmark = pytest.mark.usefixtures("digits_csv")

# The rate is far too high, so that validation gets worse and better.
RUN = (*SMALL_TRAINING, *SMALL_MLP, "scheduler=none", "optimizer.lr=0.3", "epochs=8")


def epochs_until_stop(values: list[float], patience: int) -> int:
    """Return the number of epochs after which training must have stopped."""
    for epoch in range(1, len(values) + 1):
        best = values.index(max(values[:epoch])) + 1
        if epoch - best >= patience:
            return epoch
    return len(values)


@pytest.mark.slow
def test_ends_after_patience_and_tests_the_best_weights(capsys: pytest.CaptureFixture[str]) -> None:
    whole = pd.read_csv(csvision.train(*RUN).directory / "history.csv")
    expected = epochs_until_stop(whole["val/f1"].tolist(), patience=2)
    assert 2 < expected < 8
    overrides = (*RUN, "early_stopping.patience=2", "monitor=val/f1", "quiet=false")
    run = RunDirectory(csvision.train(*overrides).directory)
    history = pd.read_csv(run.history)
    assert len(history) == expected
    best = int(np.argmax(history["val/f1"]))
    output = capsys.readouterr().out
    assert f"stopped after epoch {expected}: val/f1 has not improved since epoch {best + 1}" in (
        output
    )
    assert f"all metrics are those of epoch {best + 1}, the best by val/f1" in output
    metrics = json.loads(run.metrics.read_text(encoding="utf-8"))
    assert metrics["val/f1"] == pytest.approx(history["val/f1"].max())
    assert metrics["train/loss"] == history["train/loss"][best] != history["train/loss"].iloc[-1]
    assert torch.load(run.best)["epoch"] == best
    loaded, state = csvision.load(run.path), torch.load(run.best)["state_dict"]
    for name, value in loaded.network.state_dict().items():
        assert torch.equal(value, state[f"network.{name}"])


@pytest.mark.slow
@pytest.mark.parametrize(
    ("monitor", "choose"),
    [("val/loss", "idxmin"), ("val/acc", "idxmax"), ("val/balanced_acc", "idxmax")],
)
def test_best_checkpoint_is_chosen_by_monitor(monitor: str, choose: str) -> None:
    run = RunDirectory(csvision.train(*RUN, f"monitor={monitor}").directory)
    history = pd.read_csv(run.history)
    assert torch.load(run.best)["epoch"] == getattr(history[monitor], choose)()


@pytest.mark.parametrize("option", ["early_stopping.patience=2", "scheduler=plateau"])
def test_without_validation_rows_is_refused(option: str, working_folder: Path) -> None:
    with pytest.raises(ConfigError, match=f"{option} needs validation rows for monitor=val/acc"):
        csvision.train(*RUN[:-3], "data.val_size=0", option)
    assert not (working_folder / "outputs").exists()

"""The figures of README, drawn from a sweep."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from matplotlib.image import imread

from plot_readme import plot_learning_curves
from tests.conftest import ROOT
from tests.scripts.evidence.run_script import run_script


def history(offset: float, validated: bool = True) -> pd.DataFrame:
    """The history of a run of three epochs."""
    columns = {"epoch": [1, 2, 3], "train/loss": [3 + offset, 2 + offset, 1 + offset]}
    if validated:
        columns |= {"val/loss": [4 + offset, 3 + offset, 2 + offset]}
        columns |= {"val/acc": [0.5 + offset, 0.6 + offset, 0.7 + offset]}
    return pd.DataFrame(columns)


def test_learning_curves_show_each_run_and_the_mean_of_each_setting() -> None:
    groups = {"model=mlp": [history(0), history(0.2)], "model=cnn": [history(0.1)]}
    losses, accuracies = plot_learning_curves(groups).axes
    assert losses.get_title() == "mean loss"
    assert accuracies.get_title() == "validation accuracy"
    # Two runs and a mean, and one run and a mean; the losses of training and validation.
    assert len(losses.lines) == 10
    assert len(accuracies.lines) == 5
    legend = accuracies.get_legend()
    assert legend is not None
    assert [text.get_text() for text in legend.get_texts()] == ["model=mlp", "model=cnn"]
    mean = accuracies.lines[2]
    np.testing.assert_allclose(np.asarray(mean.get_ydata()), [0.6, 0.7, 0.8])


@pytest.mark.parametrize("missing", ["columns", "values"])
def test_without_validation_rows_only_the_training_loss_is_drawn(missing: str) -> None:
    runs = [history(0, validated=False), history(0.2, validated=False)]
    if missing == "values":
        runs = [run.assign(**{"val/loss": np.nan, "val/acc": np.nan}) for run in runs]
    (losses,) = plot_learning_curves({"all runs": runs}).axes
    assert len(losses.lines) == 3
    legend = losses.get_legend()
    assert legend is not None
    assert [text.get_text() for text in legend.get_texts()] == ["all runs, training"]


@pytest.mark.slow
def test_a_folder_without_finished_jobs_is_rejected(tmp_path: Path) -> None:
    refused = run_script("plot_readme.py", f"sweep={tmp_path}")
    assert refused.returncode == 2
    assert refused.stderr.startswith(f"error: sweep={tmp_path}: no finished jobs")


@pytest.mark.slow
@pytest.mark.parametrize("val_size", [0.2, 0])
def test_figures_of_a_sweep_are_written_outside_docs(val_size: float, digits_csv: Path) -> None:
    data = ["data=csv", f"data.csv={digits_csv}", f"data.val_size={val_size}"]
    fast = ["epochs=2", "debug.limit_rows=40", "accelerator=cpu", "logger=none", "quiet=true"]
    networks = ["model=mlp", "model.hidden=[8],[9]"]
    command = [sys.executable, "-m", "csvision", "train", "-m", *networks, *data, *fast]
    subprocess.run(command, check=True, capture_output=True)
    (sweep,) = Path("outputs/sweeps").iterdir()
    committed = {path: path.read_bytes() for path in (ROOT / "docs").glob("*.png")}

    ended = run_script("plot_readme.py", f"sweep={sweep}", "count=8")

    assert ended.returncode == 0, ended.stderr
    figures = [
        Path("outputs/figures") / f"{name}.png" for name in ("learning_curves", "predictions")
    ]
    assert ended.stdout.splitlines() == [str(path) for path in figures]
    height, width, _ = imread(figures[0]).shape
    assert width / height == pytest.approx((9 if val_size else 4.5) / 3.6, rel=0.01)
    assert imread(figures[1]).std() > 0
    assert committed == {path: path.read_bytes() for path in (ROOT / "docs").glob("*.png")}

"""The curve of test accuracy against training rows."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import csvision
import plot_training_rows
from csvision.run.prepare import PreparedRun
from csvision.run.train import train
from plot_training_rows import SETTINGS, plot, train_on_rows
from tests.conftest import SMALL_MLP, SMALL_TRAINING


@pytest.mark.slow
def test_few_rows_are_trained_for_more_epochs(
    digits_csv: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trained: list[PreparedRun] = []

    def train_and_keep(prepared: PreparedRun, directory: Path) -> csvision.TrainResult:
        trained.append(prepared)
        return train(prepared, directory)

    monkeypatch.setattr(plot_training_rows, "train", train_and_keep)
    config = csvision.load_config("train", [*SMALL_TRAINING, *SMALL_MLP, "data.val_size=0"])
    for rows in (56, 240):
        assert 0 <= train_on_rows(config, rows, min_steps=50) <= 1
    # Batches of 28 images: 2 and 9 steps per epoch; four epochs are configured.
    assert [len(prepared.splits.train) for prepared in trained] == [56, 240]
    assert [prepared.config.epochs for prepared in trained] == [25, 6]


def test_each_setting_is_a_line_of_means() -> None:
    table = pd.DataFrame(
        {
            "setting": ["MLP"] * 4 + ["CNN"] * 2,
            "rows": [300, 300, 1000, 1000, 300, 1000],
            "seed": [0, 1, 0, 1, 0, 0],
            "test/acc": [0.7, 0.8, 0.8, 0.9, 0.8, 0.95],
        }
    )
    (axes,) = plot(table).axes
    assert axes.get_xscale() == "log"
    legend = axes.get_legend()
    assert legend is not None
    assert [text.get_text() for text in legend.get_texts()] == ["MLP", "CNN"]
    np.testing.assert_allclose(np.asarray(axes.lines[1].get_ydata()), [0.75, 0.85])


@pytest.mark.parametrize("name", SETTINGS)
def test_every_setting_is_a_valid_configuration(name: str) -> None:
    csvision.load_config("train", [*plot_training_rows.COMMON, *SETTINGS[name]])

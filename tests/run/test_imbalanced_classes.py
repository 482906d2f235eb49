"""Classes of which one has twenty times the rows of others: what the options for them are for."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import csvision
from tests.conftest import SMALL_TRAINING, digits

SEEDS = range(5)
RATIO = 20

# With more steps, the default learns the rare classes, too, and the gain is smaller.
RUN = (
    *SMALL_TRAINING,
    *("model=mlp", "model.hidden=[16]", "data.csv=imbalanced.csv", "data.test_csv=test.csv"),
    *("data.val_size=0", "batch_size=32", "epochs=10", "optimizer.lr=0.01", "data.cache=none"),
)


@pytest.fixture
def files(working_folder: Path) -> None:
    """Write five frequent and five rare classes, 1 : 20, and a test file with equal classes."""
    table = digits(1797)
    train, test = [], []
    for label, rows in table.groupby("label"):
        test.append(rows[:40])
        train.append(rows[40:140] if int(str(label)) < 5 else rows[40 : 40 + 100 // RATIO])
    pd.concat(train).to_csv("imbalanced.csv", index=False)
    pd.concat(test).to_csv("test.csv", index=False)


def balanced_accuracies(*overrides: str) -> list[float]:
    """Return test/balanced_acc of each seed."""
    runs = (csvision.train(*RUN, *overrides, f"seed={seed}") for seed in SEEDS)
    return [run.metrics["test/balanced_acc"] for run in runs]


@pytest.mark.slow
@pytest.mark.usefixtures("files")
def test_balanced_accuracy_rises_by_ten_points() -> None:
    default = balanced_accuracies()
    for option in ("loss.class_weights=balanced", "data.balanced_sampling=true"):
        gains = np.array(balanced_accuracies(option)) - default
        print(f"{option}: {np.mean(default):.4f} + {gains.mean():.4f} +- {gains.std(ddof=1):.4f}")
        assert gains.mean() > 0.1
        assert gains.min() > 0

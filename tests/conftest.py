"""Small real files for every test; each test works in an empty folder of its own."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from lightning import Trainer
from sklearn.datasets import load_digits

ROOT = Path(__file__).parents[1]


@pytest.fixture(autouse=True)
def working_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current directory, so that outputs/ of a test is its own."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture(autouse=True)
def cache_folder(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache of the test's own, so that no table comes from another test's or the user's."""
    folder = tmp_path_factory.mktemp("cache")
    monkeypatch.setenv("XDG_CACHE_HOME", str(folder))
    return folder


def digits(rows: int) -> pd.DataFrame:
    """scikit-learn's 8x8 digits as a table: the label, then 64 pixels from 0 to 255."""
    images, labels = load_digits(return_X_y=True)
    pixels = np.rint(images[:rows] * 255 / 16).astype(np.uint8)
    table = pd.DataFrame(pixels, columns=[f"pixel{index}" for index in range(64)])
    table.insert(0, "label", labels[:rows])
    return table


@pytest.fixture
def digits_csv(tmp_path: Path) -> Path:
    """300 real 8x8 digits, ten classes."""
    path = tmp_path / "digits.csv"
    digits(300).to_csv(path, index=False)
    return path


def silent_trainer(**options: Any) -> Trainer:
    """A Trainer that leaves no files and says nothing."""
    return Trainer(
        accelerator="cpu",
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        num_sanity_val_steps=0,
        **options,
    )

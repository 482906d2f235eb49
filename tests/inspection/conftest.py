"""Inspections that several tests look at, and a browser."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import csvision
from csvision.inspection.result import Inspection
from tests.conftest import SMALL_TRAINING

COLOR_SHAPE = (3, 13, 17)


@pytest.fixture(scope="session")
def small_inspection(
    small_run_result: csvision.TrainResult, tmp_path_factory: pytest.TempPathFactory
) -> Inspection:
    """The inspection of SMALL_RUN, a CNN on digits; tests must not change its files."""
    folder = tmp_path_factory.mktemp("inspection")
    return csvision.inspect(
        small_run_result.directory, "device=cpu", "quiet=true", f"output_dir={folder}"
    )


def write_color_csv(path: Path, rows: int = 60) -> Path:
    """Write color images of odd size: a bright bar in one of three colors, its class."""
    rng = np.random.default_rng(0)
    labels = np.arange(rows) % 3
    images = rng.integers(0, 60, (rows, *COLOR_SHAPE))
    for row, label in enumerate(labels):
        left = rng.integers(0, 12)
        images[row, label, :, left : left + 5] += 150
    table = pd.DataFrame(images.reshape(rows, -1))
    table.columns = pd.Index([f"pixel{index}" for index in range(table.shape[1])])
    table.insert(0, "label", np.array(["red", "green", "blue"])[labels])
    table.to_csv(path, index=False)
    return path


COLOR_TRAINING = (
    *SMALL_TRAINING,
    "data.csv=colors.csv",
    "data.image_shape=[3,13,17]",
    "model.stages=[{filters:4},{filters:5}]",
    "model.hidden=[]",
    "epochs=2",
)


@pytest.fixture(scope="session")
def color_inspection(tmp_path_factory: pytest.TempPathFactory) -> Inspection:
    """The inspection of a CNN on color images of odd size; tests must not change its files."""
    home = tmp_path_factory.mktemp("colors")
    write_color_csv(home / "colors.csv")
    files = (f"data.csv={home / 'colors.csv'}", f"output_dir={home}", "data.cache=none")
    run = csvision.train(*COLOR_TRAINING, *files)
    return csvision.inspect(run, "device=cpu", "quiet=true")

"""Fixtures and small real inputs that all tests share."""

import gc
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from lightning import Trainer
from playwright.sync_api import Browser
from sklearn.datasets import load_digits

import csvision
from csvision.run.directory import RunDirectory
from tests.browser import launch_chromium
from tests.run.interrupt import train_until

ROOT = Path(__file__).parents[1]

SMALL_TRAINING = (
    "data=csv",
    "data.csv=digits.csv",
    "accelerator=cpu",
    "accelerator.num_threads=1",
    "batch_size=28",
    "epochs=4",
    "launcher=serial",
    "logger=none",
    "optimizer.lr=0.03",
    "quiet=true",
)
"""Four epochs of eight steps on the file of the fixture `digits_csv`; the last batch is smaller."""

SMALL_CNN = (
    "model.stages=[{filters:8,normalization:batch,dropout:0.1}]",
    "model.hidden=[16]",
    "model.dropout=0.1",
)

SMALL_MLP = ("model=mlp", "model.hidden=[16]")

# Smaller than for images of 28x28.
SMALL_AUGMENTATION = ("augmentation=standard", "augmentation.translate=1", "augmentation.cutout=2")

SMALL_RUN = (*SMALL_TRAINING, *SMALL_CNN, *SMALL_AUGMENTATION)
"""The overrides of a run that uses every source of random numbers and takes half a second."""


@pytest.fixture(autouse=True)
def working_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make an empty folder the current directory of each test."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture(autouse=True)
def cache_folder(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give each test an empty cache, so that it never reads a table of another test or the user."""
    folder = tmp_path_factory.mktemp("cache")
    monkeypatch.setenv("XDG_CACHE_HOME", str(folder))
    return folder


@pytest.fixture(autouse=True, scope="session")
def frozen_imports() -> None:
    """Leave the objects of imported packages out of garbage collection, which takes seconds."""
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True, scope="session")
def default_signals() -> Iterator[None]:
    """Handle Ctrl-C and a closed terminal, even if pytest was started by nohup or with `&`.

    csvision lets a signal that its parent process ignores stay ignored.
    """
    before = {
        signal.SIGINT: signal.signal(signal.SIGINT, signal.default_int_handler),
        signal.SIGHUP: signal.signal(signal.SIGHUP, signal.SIG_DFL),
    }
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


def digits(rows: int) -> pd.DataFrame:
    """Return the first 8x8 digits of scikit-learn: the label, then 64 pixels from 0 to 255."""
    images, labels = load_digits(return_X_y=True)
    pixels = np.rint(images[:rows] * 255 / 16).astype(np.uint8)
    table = pd.DataFrame(pixels, columns=[f"pixel{index}" for index in range(64)])
    table.insert(0, "label", labels[:rows])
    return table


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Launch Chromium once for all tests: Playwright runs one event loop in a thread."""
    with launch_chromium() as browser:
        yield browser


@pytest.fixture
def digits_csv(tmp_path: Path) -> Path:
    """Write digits.csv, 300 real 8x8 digits of ten classes, into the current directory."""
    path = tmp_path / "digits.csv"
    digits(300).to_csv(path, index=False)
    return path


@pytest.fixture(scope="session")
def small_run_result(tmp_path_factory: pytest.TempPathFactory) -> "csvision.TrainResult":
    """Train SMALL_RUN once for all tests; they must not change its files."""
    home = tmp_path_factory.mktemp("small_run")
    digits(300).to_csv(home / "digits.csv", index=False)
    files = (f"data.csv={home / 'digits.csv'}", f"output_dir={home / 'outputs'}")
    return csvision.train(*SMALL_RUN, "data.cache=none", *files)


@pytest.fixture
def small_run(small_run_result: "csvision.TrainResult", tmp_path: Path) -> RunDirectory:
    """Return a copy of the finished run of SMALL_RUN, which the test may change."""
    return RunDirectory(shutil.copytree(small_run_result.directory, tmp_path / "small_run"))


@pytest.fixture(scope="session")
def interrupted_run_original(
    tmp_path_factory: pytest.TempPathFactory, small_run_result: "csvision.TrainResult"
) -> RunDirectory:
    """Interrupt SMALL_RUN once for all tests; they must not change its files."""
    home = tmp_path_factory.mktemp("interrupted_run")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(home)
        data = f"data.csv={small_run_result.config.data.csv}"
        return train_until(20, (*SMALL_RUN, "data.cache=none", data))


@pytest.fixture
def interrupted_run(interrupted_run_original: RunDirectory, tmp_path: Path) -> RunDirectory:
    """Return a copy of a run of SMALL_RUN that was interrupted in the middle of the third epoch.

    last.ckpt is of step 20, previous.ckpt of step 16.
    """
    return RunDirectory(shutil.copytree(interrupted_run_original.path, tmp_path / "interrupted"))


def reproducible_results(run: RunDirectory) -> tuple[str, str, object]:
    """Return what equal configurations give: hashes of weights and predictions, and the history."""
    manifest = run.read_manifest()
    history = pd.read_csv(run.history).drop(columns="seconds").to_dict()
    return manifest["weights_sha256"], manifest["predictions_sha256"], history


def silent_trainer(**options: Any) -> Trainer:
    """Return a Trainer that writes and prints nothing."""
    return Trainer(
        accelerator="cpu",
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        num_sanity_val_steps=0,
        **options,
    )

"""A finished baseline that all tests share; they must not change its files."""

import shutil
from pathlib import Path

import pytest

import csvision
from csvision.run.directory import RunDirectory
from tests.conftest import digits

SMALL = ("data=csv", "logger=none", "quiet=true", "data.cache=none")
"""The overrides of a baseline on the digits that is fitted in a moment."""


@pytest.fixture(scope="session")
def digits_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write 300 digits for all tests."""
    path = tmp_path_factory.mktemp("digits") / "digits.csv"
    digits(300).to_csv(path, index=False)
    return path


@pytest.fixture(scope="session")
def small_baseline_result(
    digits_file: Path, tmp_path_factory: pytest.TempPathFactory
) -> csvision.BaselineResult:
    """Fit neighbors to the digits."""
    folder = tmp_path_factory.mktemp("baseline")
    files = (f"data.csv={digits_file}", f"output_dir={folder}")
    return csvision.baseline(*SMALL, "baseline=knn", *files)


@pytest.fixture
def small_baseline(small_baseline_result: csvision.BaselineResult, tmp_path: Path) -> RunDirectory:
    """Return a copy of the run of a baseline, which the test may change."""
    return RunDirectory(shutil.copytree(small_baseline_result.directory, tmp_path / "small"))

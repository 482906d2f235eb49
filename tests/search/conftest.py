"""Small real searches: an MLP on digits, three epochs per trial."""

from collections.abc import Callable
from pathlib import Path

import pytest

import csvision
from csvision.search.report import SearchReport
from tests.conftest import SMALL_MLP, SMALL_TRAINING, digits

LR = "optimizer.lr=tag(log, interval(1e-4, 0.3))"

SMALL_SEARCH = (*SMALL_TRAINING, *SMALL_MLP, "epochs=3", "search.n_startup_trials=3", LR)
"""The overrides of a search over the learning rate, on the file of the fixture `digits_csv`."""

RunSearch = Callable[..., SearchReport]


@pytest.fixture
def run_search(digits_csv: Path) -> RunSearch:
    """Return a function that runs SMALL_SEARCH with further overrides in a folder `search`."""

    def run(*overrides: str, directory: str = "search") -> SearchReport:
        return csvision.run_search(*SMALL_SEARCH, *overrides, directory=directory)

    return run


@pytest.fixture(scope="session")
def small_search_original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Run SMALL_SEARCH of eight trials once for all tests; they must not change its files."""
    home = tmp_path_factory.mktemp("small_search")
    digits(300).to_csv(home / "digits.csv", index=False)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(home)
        report = csvision.run_search(
            *SMALL_SEARCH, "data.cache=none", "search.n_trials=8", directory="search"
        )
    return report.directory

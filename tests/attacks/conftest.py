"""Every test in this folder has the markers `attacks` and `slow`: each starts commands."""

from pathlib import Path

import pytest

from tests.conftest import digits


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests of this folder."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.attacks)
            item.add_marker(pytest.mark.slow)


@pytest.fixture
def attacked_folder(working_folder: Path) -> Path:
    """Return the current folder with digits.csv, 60 real 8x8 digits."""
    digits(60).to_csv(working_folder / "digits.csv", index=False)
    return working_folder

"""Every test in this folder has the markers `attacks` and `slow`: each starts commands."""

from collections import Counter
from pathlib import Path

import pytest

from tests.conftest import digits

EXAMPLES = 2
"""So many attacks of each file run without `-m attacks`; the others are thorough."""


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests of this folder."""
    examples: Counter[Path] = Counter()
    for item in items:
        if Path(__file__).parent not in item.path.parents:
            continue
        item.add_marker(pytest.mark.attacks)
        item.add_marker(pytest.mark.slow)
        if item.get_closest_marker("thorough") is None:
            examples[item.path] += 1
            if examples[item.path] > EXAMPLES:
                item.add_marker(pytest.mark.thorough)


@pytest.fixture
def attacked_folder(working_folder: Path) -> Path:
    """Return the current folder with digits.csv, 60 real 8x8 digits."""
    digits(60).to_csv(working_folder / "digits.csv", index=False)
    return working_folder

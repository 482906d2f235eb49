"""Classes of which one has twenty times the rows of others: what the options for them are for."""

from pathlib import Path

import pytest

from measure_class_weights import METHODS, balanced_accuracies, write_files

SEEDS = 5


@pytest.mark.slow
def test_balanced_accuracy_rises_by_ten_points(working_folder: Path) -> None:
    # With more epochs, the default learns the rare classes, too, and the gain is smaller.
    files = (*write_files(working_folder), "epochs=10")
    default = balanced_accuracies(files, SEEDS)
    for method in METHODS:
        gains = balanced_accuracies((*files, method), SEEDS) - default
        assert gains.mean() > 0.1
        assert gains.min() > 0

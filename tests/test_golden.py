"""The losses of six configurations are what they were: a refactoring changes no arithmetic.

Where a change is meant, `python -m tests.golden.record` records them anew.
"""

import json

import pytest

from tests.golden.record import CONFIGURATIONS, FILE, losses

RECORDED: dict[str, list[float]] = json.loads(FILE.read_text(encoding="utf-8"))

# Processors round differently; 18 steps of training make little of it.
TOLERANCE = 1e-4


def test_every_configuration_is_recorded() -> None:
    assert RECORDED.keys() == CONFIGURATIONS.keys()
    assert all(len(values) == 18 for values in RECORDED.values())


@pytest.mark.parametrize("name", CONFIGURATIONS)
def test_losses_are_the_recorded_ones(name: str) -> None:
    assert losses(name) == pytest.approx(RECORDED[name], rel=TOLERANCE)


@pytest.mark.parametrize("change", ["seed=1", "optimizer.lr=0.0031", "model.hidden=[32,17]"])
def test_a_small_change_shows(change: str) -> None:
    assert losses("mlp", change) != pytest.approx(RECORDED["mlp"], rel=TOLERANCE)

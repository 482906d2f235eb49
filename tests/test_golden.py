"""The losses of six configurations equal the recorded ones: refactoring changes no arithmetic.

After an intended change, `python -m tests.golden.record` records them again.
"""

import json

import pytest
import torch

from tests.golden.record import CONFIGURATIONS, FILE, compute_losses

RECORDED: dict[str, list[float]] = json.loads(FILE.read_text(encoding="utf-8"))

# Processors round differently; the effect is small after 18 steps.
TOLERANCE = 1e-4


def test_every_configuration_is_recorded() -> None:
    assert RECORDED.keys() == CONFIGURATIONS.keys()
    assert all(len(losses) == 18 for losses in RECORDED.values())


@pytest.mark.slow
@pytest.mark.parametrize("name", CONFIGURATIONS)
def test_losses_equal_the_recorded_ones(name: str) -> None:
    assert compute_losses(name) == pytest.approx(RECORDED[name], rel=TOLERANCE)


@pytest.mark.slow
@pytest.mark.parametrize("change", ["seed=1", "optimizer.lr=0.0031", "model.hidden=[32,17]"])
def test_small_change_is_detected(change: str) -> None:
    assert compute_losses("mlp", change) != pytest.approx(RECORDED["mlp"], rel=TOLERANCE)


@pytest.mark.slow
def test_layout_of_the_weights_changes_rounding_only(monkeypatch: pytest.MonkeyPatch) -> None:
    losses = compute_losses("residual, augmented", precision="64-true")
    monkeypatch.setattr("csvision.models.cnn.channels_last", torch.contiguous_format)
    expected = compute_losses("residual, augmented", precision="64-true")
    assert losses == pytest.approx(expected, rel=1e-12)

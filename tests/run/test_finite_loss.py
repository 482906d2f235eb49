"""A loss that is no number ends the run at its step."""

import math
from pathlib import Path

import pytest
import torch

import csvision
from csvision.errors import RunError
from csvision.run.directory import RunDirectory
from tests.run.small import NO_MODEL, SMALL, manifest

NET = """
import torch
from torch import nn

class Net(nn.Module):
    passes = 0

    def __init__(self, image_shape, classes, at, value):
        super().__init__()
        self.at, self.value = at, float(value)
        self.layers = nn.Sequential(nn.Flatten(), nn.Linear(784, classes))

    def forward(self, images):
        logits = self.layers(images)
        if self.training:
            Net.passes += 1
            if Net.passes == self.at:
                logits = logits * self.value
        return logits
"""


@pytest.mark.parametrize("value", ["nan", "inf"])
def test_the_step_the_rate_and_the_last_good_checkpoint_are_named(value: str) -> None:
    Path("net.py").write_text(NET, encoding="utf-8")
    with pytest.raises(RunError) as ended:
        csvision.train(
            *NO_MODEL,
            "scheduler=none",
            "model=custom",
            "model.path=net.py:Net",
            f"model.arguments={{at:11,value:'{value}'}}",
        )
    (path,) = Path("outputs").glob("runs/*")
    run = RunDirectory(path)
    (fault,) = ended.value.faults
    assert "the loss is nan at step 11 in epoch 2, where the learning rate is 0.003" in fault
    assert f"{run.last} is sound" in fault
    assert manifest(run)["state"] == "failed"
    weights = torch.load(run.last)["state_dict"]["network.layers.1.weight"]
    assert math.isfinite(float(weights.sum()))


def test_a_rate_that_is_too_large_shows() -> None:
    with pytest.raises(RunError, match=r"the loss is (nan|inf) at step \d+ in epoch \d"):
        csvision.train(*SMALL, "optimizer=sgd", "optimizer.lr=1e30", "scheduler=none")

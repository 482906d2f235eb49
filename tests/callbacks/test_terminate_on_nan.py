"""TerminateOnNaN: training ends at the step whose loss is NaN or infinite."""

import math
from pathlib import Path

import pytest
import torch

import csvision
from csvision.errors import DivergedError, UserError
from csvision.run.directory import RunDirectory
from tests.conftest import SMALL_RUN, SMALL_TRAINING

NET = """
import torch
from torch import nn

class Net(nn.Module):
    steps = 0

    def __init__(self, image_shape, classes, at, value):
        super().__init__()
        self.at, self.value = at, float(value)
        self.layers = nn.Sequential(nn.Flatten(), nn.Linear(64, classes))

    def forward(self, images):
        logits = self.layers(images)
        if self.training:
            Net.steps += 1
            if Net.steps == self.at:
                logits = logits * self.value
        return logits
"""

pytestmark = pytest.mark.usefixtures("digits_csv")


def train_with_loss(value: str, at: int) -> tuple[str, RunDirectory]:
    """Train with logits multiplied by `value` in one step; return the error and the run."""
    Path("net.py").write_text(NET, encoding="utf-8")
    custom = ("model=custom", "model.path=net.py:Net", f"model.kwargs={{at:{at},value:'{value}'}}")
    with pytest.raises(DivergedError) as raised:
        csvision.train(*SMALL_TRAINING, *custom, "scheduler=none")
    return str(raised.value), only_run()


def only_run() -> RunDirectory:
    (path,) = Path("outputs").glob("runs/*")
    return RunDirectory(path)


@pytest.mark.slow
@pytest.mark.parametrize("value", ["nan", "inf"])
def test_error_names_step_learning_rate_and_last_checkpoint(value: str) -> None:
    message, run = train_with_loss(value, at=11)
    for part in ("loss is nan", "epoch 2", "step 11", "learning rate 0.03;", "optimizer.lr"):
        assert part in message
    assert f"{run.last} is intact" in message
    assert run.read_manifest()["state"] == "diverged"
    weights = torch.load(run.last)["state_dict"]["network.layers.1.weight"]
    assert math.isfinite(float(weights.sum()))


def test_error_says_that_no_checkpoint_was_saved() -> None:
    message, run = train_with_loss("nan", at=2)
    assert "step 2" in message
    assert "no checkpoint was saved" in message
    assert not run.last.exists()


@pytest.mark.slow
def test_too_large_learning_rate_ends_training() -> None:
    with pytest.raises(DivergedError, match=r"the loss is (nan|inf) in epoch \d, step \d+"):
        csvision.train(*SMALL_RUN, "optimizer=sgd", "optimizer.lr=1e30", "scheduler=none")


NAN_IN_EVAL_NET = """
from torch import nn

class Net(nn.Module):
    def __init__(self, image_shape, num_classes):
        super().__init__()
        self.layers = nn.Sequential(nn.Flatten(), nn.Linear(64, num_classes))

    def forward(self, images):
        logits = self.layers(images)
        return logits if self.training else logits * (float("nan") if images.mean() else 1)
"""


def test_nan_in_validation_alone_ends_training() -> None:
    Path("net.py").write_text(NAN_IN_EVAL_NET, encoding="utf-8")
    custom = ("model=custom", "model.path=net.py:Net")
    with pytest.raises(DivergedError, match=r"val/loss is nan in epoch 1, step 8"):
        csvision.train(*SMALL_TRAINING, *custom)
    assert only_run().read_manifest()["state"] == "diverged"
    assert not only_run().last.exists()


def test_nan_in_the_test_alone_ends_training_without_metrics() -> None:
    Path("net.py").write_text(NAN_IN_EVAL_NET, encoding="utf-8")
    custom = ("model=custom", "model.path=net.py:Net")
    with pytest.raises(DivergedError, match="outputs of the network are NaN or infinite for 60"):
        csvision.train(*SMALL_TRAINING, *custom, "data.val_size=0")
    assert only_run().read_manifest()["state"] == "diverged"
    assert not only_run().metrics.exists()


INFINITE_GRADIENT_NET = """
import torch
from torch import nn

class Net(nn.Module):
    def __init__(self, image_shape, num_classes):
        super().__init__()
        self.layers = nn.Sequential(nn.Flatten(), nn.Linear(64, num_classes))
        self.offset = nn.Parameter(torch.zeros(num_classes))

    def forward(self, images):
        return self.layers(images) + self.offset.sqrt()
"""


@pytest.mark.slow
@pytest.mark.parametrize("val_size", [0, 0.2])
def test_weights_that_the_last_step_made_infinite_are_not_saved(val_size: float) -> None:
    Path("net.py").write_text(INFINITE_GRADIENT_NET, encoding="utf-8")
    custom = ("model=custom", "model.path=net.py:Net", f"data.val_size={val_size}")
    one_step = ("epochs=1", "batch_size=10000", "scheduler=none")
    with pytest.raises(DivergedError, match=r"network\.offset has values .* in epoch 1, step 1,"):
        csvision.train(*SMALL_TRAINING, *custom, *one_step)
    assert only_run().read_manifest()["state"] == "diverged"
    assert not only_run().last.exists()


def test_diverged_error_is_not_a_user_error() -> None:
    assert not issubclass(DivergedError, UserError)

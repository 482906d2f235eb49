"""Several batches in each step of Lightning: the same results as with a step for each batch."""

import signal
from pathlib import Path

import pytest
import torch
from lightning import Trainer

import csvision
from csvision.callbacks.checkpoint import CheckpointCallback
from csvision.run.build_classifier import build_classifier
from csvision.run.directory import RunDirectory
from tests.conftest import SMALL_CNN, SMALL_MLP, SMALL_RUN, SMALL_TRAINING, reproducible_results
from tests.run.interrupt import signaling_model

pytestmark = pytest.mark.usefixtures("digits_csv")

GROUP_SECONDS = "csvision.grouped_classifier.GROUP_SECONDS"


def results(*overrides: str) -> tuple[str, str, object]:
    """Train; return the hashes of weights and predictions, and the history."""
    return reproducible_results(RunDirectory(csvision.train(*overrides).directory))


@pytest.mark.slow
@pytest.mark.parametrize(
    "overrides",
    [
        SMALL_RUN,
        (*SMALL_TRAINING, *SMALL_MLP, "scheduler=step", "scheduler.step_size=1", "optimizer=adam"),
        (
            *SMALL_TRAINING,
            *SMALL_MLP,
            "scheduler=cosine",
            "optimizer=sgd",
            "optimizer.momentum=0.9",
        ),
        (*SMALL_TRAINING, *SMALL_CNN, "scheduler=none", "data.val_size=0"),
        (*SMALL_TRAINING, *SMALL_CNN, "accelerator.precision=bf16-mixed"),
        (*SMALL_TRAINING, *SMALL_MLP, "accelerator.precision=64-true"),
    ],
    ids=["everything", "step", "cosine", "constant", "bf16", "double"],
)
def test_results_do_not_depend_on_the_groups(
    overrides: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    found = {}
    for seconds in (0, 0.002, 1000):
        monkeypatch.setattr(GROUP_SECONDS, seconds)
        found[seconds] = results(*overrides)
    # Lightning's own optimization of each batch.
    monkeypatch.setattr(
        "csvision.run.train.build_classifier", lambda prepared, *_: build_classifier(prepared)
    )
    expected = results(*overrides)
    assert found == dict.fromkeys(found, expected)


@pytest.mark.slow
@pytest.mark.parametrize(("seconds", "calls"), [(0, 8), (1000, 1)])
def test_callbacks_are_called_once_per_group(
    seconds: float, calls: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps: list[tuple[int, bool]] = []

    def record(self: CheckpointCallback, trainer: Trainer, *args: object) -> None:
        steps.append((trainer.global_step, trainer.is_last_batch))

    monkeypatch.setattr(GROUP_SECONDS, seconds)
    monkeypatch.setattr(CheckpointCallback, "on_train_batch_end", record)
    csvision.train(*SMALL_TRAINING, *SMALL_MLP, "epochs=2")
    assert len(steps) == 2 * calls
    assert [step for step, is_last in steps if is_last] == [8, 16]


@pytest.mark.slow
def test_checkpoint_counts_batches(digits_csv: Path) -> None:
    run = csvision.train(*SMALL_TRAINING, *SMALL_MLP).directory
    content = torch.load(RunDirectory(run).last)
    assert content["global_step"] == 32
    progress = content["loops"]["fit_loop"]["epoch_loop.batch_progress"]
    assert progress["current"] == {"ready": 8, "completed": 8, "started": 8, "processed": 8}


def test_group_ends_when_a_signal_arrives(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(GROUP_SECONDS, 1000)
    overrides = signaling_model(at=5, number=signal.SIGINT)
    with pytest.raises(KeyboardInterrupt):
        csvision.train(*SMALL_TRAINING, *overrides)
    (run,) = Path("outputs/runs").iterdir()
    assert torch.load(RunDirectory(run).last)["global_step"] == 5


@pytest.mark.slow
@pytest.mark.parametrize("seconds", [0, 1000])
def test_diverged_step_is_exact(seconds: float, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(GROUP_SECONDS, seconds)
    Path("net.py").write_text(DIVERGING, encoding="utf-8")
    with pytest.raises(csvision.DivergedError, match="in epoch 2, step 13, "):
        csvision.train(*SMALL_TRAINING, "model=custom", "model.path=net.py:Net")


DIVERGING = """
from torch import nn

class Net(nn.Module):
    steps = 0

    def __init__(self, image_shape, num_classes):
        super().__init__()
        self.layers = nn.Sequential(nn.Flatten(), nn.Linear(64, num_classes))

    def forward(self, images):
        # The check before training uses two images.
        Net.steps += self.training and len(images) > 2
        logits = self.layers(images)
        return logits * float("nan") if self.training and Net.steps == 13 else logits
"""

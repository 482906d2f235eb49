"""Interrupt a training run after a given step."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from lightning import Trainer

import csvision
from csvision.callbacks.checkpoint import CheckpointCallback
from csvision.run.directory import RunDirectory


class InterruptedTestRun(Exception):  # noqa: N818 (not an error)
    """Ends training in the place of a crash."""


@contextmanager
def interrupt_after(step: int, save: bool = True) -> Iterator[None]:
    """End training after a step, with a checkpoint of that step if `save`."""
    on_train_batch_end = CheckpointCallback.on_train_batch_end

    def interrupt(self: CheckpointCallback, trainer: Trainer, *args: Any) -> None:
        on_train_batch_end(self, trainer, *args)
        if trainer.global_step == step:
            if save:
                self.save_last(trainer)
            raise InterruptedTestRun

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(CheckpointCallback, "on_train_batch_end", interrupt)
        # The hook is called after each batch.
        patch.setattr("csvision.grouped_classifier.GROUP_SECONDS", 0)
        with pytest.raises(InterruptedTestRun):
            yield


def train_until(step: int, overrides: Sequence[str], save: bool = True) -> RunDirectory:
    """Train until a step, in outputs/ of the current directory; return the run."""
    before = set(Path("outputs").absolute().glob("runs/*"))
    with interrupt_after(step, save):
        csvision.train(*overrides)
    (path,) = set(Path("outputs").absolute().glob("runs/*")) - before
    return RunDirectory(path)


CUSTOM_CODE = """
from torch import nn

class Net(nn.Module):
    def __init__(self, image_shape, num_classes):
        super().__init__()
        pixels = image_shape[1] * image_shape[2]
        self.layers = nn.Sequential(nn.Flatten(), nn.Dropout(0.2), nn.Linear(pixels, num_classes))

    def forward(self, images):
        return self.layers(images)
"""
"""The code of a custom network for gray images."""

CUSTOM_MODEL = ("model=custom", "model.path=net.py:Net")


SIGNALING_NET = """
import signal
from pathlib import Path
from torch import nn

class Net(nn.Module):
    steps = 0

    def __init__(self, image_shape, num_classes, at, number, times=1):
        super().__init__()
        self.at, self.number, self.times = at, number, times
        self.layers = nn.Sequential(nn.Flatten(), nn.Dropout(0.2), nn.Linear(64, num_classes))

    def forward(self, images):
        # The check before training uses two images.
        if self.training and len(images) > 2:
            Net.steps += 1
            if Net.steps == self.at and not Path("signaled").exists():
                Path("signaled").touch()
                for _ in range(self.times):
                    signal.raise_signal(self.number)
        return self.layers(images)
"""
"""A network that raises a signal in one step, unless it has done so before."""


def signaling_model(at: int, number: int, times: int = 1) -> tuple[str, ...]:
    """Write net.py with SIGNALING_NET and return the overrides that select it."""
    Path("net.py").write_text(SIGNALING_NET, encoding="utf-8")
    kwargs = f"model.kwargs={{at:{at},number:{int(number)},times:{times}}}"
    return (*CUSTOM_MODEL, kwargs)

"""A run of some hundred milliseconds with all that chance decides, ended early where wanted."""

from pathlib import Path
from typing import Any

import pytest
from lightning import Trainer

import csvision
from csvision.errors import RunError
from csvision.run.checkpoints import Checkpoints
from csvision.run.directory import RunDirectory

SMALL = (
    "accelerator=cpu",
    "accelerator.threads=1",
    "augmentation=standard",
    "batch_size=16",
    "debug.rows=120",
    "epochs=4",
    "logger=none",
    "model.dropout=0.3",
    "model.stages=[{filters:4,normalization:batch,dropout:0.1},{filters:4}]",
    "model.hidden=[16]",
    "quiet=true",
)
"""Eight steps an epoch."""

NO_MODEL = tuple(override for override in SMALL if not override.startswith("model."))

NET = """
from torch import nn

class Net(nn.Module):
    def __init__(self, image_shape, classes):
        super().__init__()
        pixels = image_shape[1] * image_shape[2]
        self.layers = nn.Sequential(nn.Flatten(), nn.Dropout(0.2), nn.Linear(pixels, classes))

    def forward(self, images):
        return self.layers(images)
"""
"""An own network for grey images."""

OWN = ("model=custom", "model.path=net.py:Net")


def manifest(run: RunDirectory | Path) -> dict[str, Any]:
    """What run.json says."""
    directory = run if isinstance(run, RunDirectory) else RunDirectory(run)
    return directory.read_manifest()


def stop_at(step: int, *overrides: str, save: bool = True) -> RunDirectory:
    """A run that breaks off after a step, with or without a checkpoint of that very step."""
    before = set(Path("outputs").glob("runs/*"))
    original = Checkpoints.on_train_batch_end

    def stopping(self: Checkpoints, trainer: Trainer, *arguments: Any) -> None:
        original(self, trainer, *arguments)
        if trainer.global_step == step:
            if save:
                self.save_last(trainer)
            raise RunError("stopped")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Checkpoints, "on_train_batch_end", stopping)
        with pytest.raises(RunError, match="stopped"):
            csvision.train(*SMALL, *overrides)
    (path,) = set(Path("outputs").glob("runs/*")) - before
    return RunDirectory(path)


def unfinished(step: int, *overrides: str) -> RunDirectory:
    """A run that broke off in the middle of an epoch, with a checkpoint there and one before."""
    run = stop_at(step, *overrides)
    assert run.last.exists()
    assert run.previous.exists()
    return run

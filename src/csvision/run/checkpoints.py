"""What a run saves under way: whole files of tensors and plain values, the newest one twice."""

import json
import os
import time
from pathlib import Path
from typing import Any

import torch
from lightning import Callback, LightningModule, Trainer

from csvision import config
from csvision.classifier import Classifier
from csvision.errors import RunError
from csvision.run.directory import RunDirectory, leads
from csvision.run.log import log


class Checkpoints(Callback):
    """Saves last.ckpt after each epoch and every so many seconds, and best.ckpt.

    The checkpoint before the last one stays as previous.ckpt. `validates` tells whether there is
    an accuracy to find the best epoch by.
    """

    def __init__(self, run: RunDirectory, seconds: float, validates: bool) -> None:
        self.run = run
        self.config = json.dumps(run.read_manifest()["config"] if leads() else None)
        self.seconds = seconds
        self.validates = validates
        self.best = float("-inf")
        self.saved = 0.0

    def state_dict(self) -> dict[str, Any]:
        """The best accuracy so far."""
        return {"best": self.best}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take the best accuracy so far."""
        self.best = state_dict["best"]

    def on_save_checkpoint(
        self, trainer: Trainer, pl_module: LightningModule, checkpoint: dict[str, Any]
    ) -> None:
        """Keep the configuration with the weights, so that an edited run.json shows."""
        checkpoint["config"] = self.config

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Start the clock."""
        self.saved = time.monotonic()

    def on_train_batch_end(self, trainer: Trainer, *args: Any) -> None:
        """Save when it is time; not at the end of an epoch, which saves itself.

        Clocks differ among processes that share the rows; those save after epochs only.
        """
        due = time.monotonic() - self.saved >= self.seconds
        if due and not trainer.is_last_batch and trainer.world_size == 1:
            self.save_last(trainer)

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Save the epoch; Lightning has validated by now."""
        if self.validates and (accuracy := float(trainer.callback_metrics["val/acc"])) > self.best:
            self.best = accuracy
            self.save(trainer, self.run.best, weights_only=True)
        self.save_last(trainer)

    def save_last(self, trainer: Trainer) -> None:
        """Save all that a fit needs to go on."""
        self.save(trainer, self.run.last, weights_only=False)
        self.saved = time.monotonic()

    def save(self, trainer: Trainer, path: Path, weights_only: bool) -> None:
        """Save a checkpoint whole or not at all; the last one makes the one before it previous."""
        unfinished = path.with_name(f".{path.name}")
        try:
            if trainer.is_global_zero:
                # Lightning would make a folder that was taken away anew.
                self.run.manifest.stat()
            trainer.save_checkpoint(unfinished, weights_only)
            if trainer.is_global_zero:
                reach_the_disk(unfinished)
                if path == self.run.last and path.exists():
                    path.replace(self.run.previous)
                unfinished.replace(path)
        except OSError:
            unfinished.unlink(missing_ok=True)
            raise


def reach_the_disk(path: Path) -> None:
    """Wait until a file would outlast a loss of power."""
    with path.open("rb+") as file:
        os.fsync(file.fileno())


def read_checkpoint(path: Path) -> dict[str, Any]:
    """What a checkpoint holds, on the CPU; nothing in it is executed.

    Raises RunError when it cannot be read.
    """
    try:
        content: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    # torch's unpickler raises whatever a damaged or hostile file makes it raise; its advice, to let
    # the file execute, is not passed on.
    except Exception as error:
        raise RunError(f"{path} is damaged, or holds more than tensors and plain values") from error
    return content


def load_weights(classifier: Classifier, path: Path) -> None:
    """Give a classifier the weights of a checkpoint; raises RunError when they do not fit it."""
    content = read_checkpoint(path)
    try:
        classifier.load_state_dict(content["state_dict"])
    except (RuntimeError, KeyError, TypeError, AttributeError) as error:
        raise RunError(f"{path} holds no weights of this network: it is another's") from error


def newest_checkpoint(run: RunDirectory) -> Path | None:
    """The newest checkpoint that can be read and is this run's; None where there is none.

    Raises RunError when run.json has another configuration than the checkpoint.
    """
    for path in (run.last, run.previous):
        if not path.exists():
            continue
        try:
            recorded = json.loads(read_checkpoint(path)["config"])
        except (RunError, KeyError, TypeError, ValueError) as error:
            log.warning("%s; going on without it", error)
            continue
        if changed := config.differences(recorded, run.read_manifest()["config"]):
            raise RunError([f"{run.manifest} is not as it was: {change}" for change in changed])
        return path
    return None

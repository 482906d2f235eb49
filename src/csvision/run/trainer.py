"""The Trainer of a run: where it computes, what it records, which checkpoints it keeps."""

import sys
from pathlib import Path

from lightning import Callback, Trainer
from lightning.pytorch.callbacks import ModelCheckpoint
from lightning.pytorch.profilers import SimpleProfiler
from lightning.pytorch.strategies import DDPStrategy
from torch.utils.tensorboard import SummaryWriter

from csvision import schema
from csvision.run.directory import RunDirectory, leads
from csvision.run.progress import EpochBar, EpochRecorder


def build_trainer(settings: schema.Train, run: RunDirectory, validates: bool) -> Trainer:
    """The Trainer of a run."""
    tensorboard = settings.logger.name is schema.LoggerName.tensorboard
    curves = SummaryWriter(run.path) if tensorboard and leads() else None
    callbacks: list[Callback] = [EpochRecorder(run.history, curves), checkpoints(run.last)]
    if validates:
        callbacks.append(checkpoints(run.best, monitor="val/acc", mode="max"))
    bar = sys.stdout.isatty() and not settings.quiet and leads()
    if bar:
        callbacks.append(EpochBar())
    return Trainer(
        accelerator=settings.accelerator.name.value,
        devices=settings.accelerator.devices,
        strategy=sharing_strategy() if settings.accelerator.devices > 1 else "auto",
        precision=settings.accelerator.precision,  # type: ignore[arg-type]
        max_epochs=settings.epochs,
        callbacks=callbacks,
        logger=False,
        profiler=SimpleProfiler(run.path, "profile") if settings.debug.profile else None,
        default_root_dir=run.path,
        num_sanity_val_steps=0,
        enable_progress_bar=bar,
        enable_model_summary=False,
        limit_val_batches=None if validates else 0,
    )


def sharing_strategy() -> DDPStrategy:
    """Several processes that share the rows.

    Evaluation gives them unequal shares, so that no step of one may wait for another's buffers.
    """
    return DDPStrategy(broadcast_buffers=False)


def checkpoints(path: Path, monitor: str | None = None, mode: str = "min") -> ModelCheckpoint:
    """Keep one checkpoint under a fixed name: the last epoch's, or that of the best `monitor`."""
    return ModelCheckpoint(
        path.parent, path.stem, monitor=monitor, mode=mode, enable_version_counter=False
    )

"""The Trainer of a run: where it computes, what it records, which checkpoints it keeps."""

import sys

from lightning import Callback, Trainer
from lightning.pytorch.profilers import SimpleProfiler
from lightning.pytorch.strategies import DDPStrategy

from csvision import schema
from csvision.run.checkpoints import Checkpoints
from csvision.run.device import torch_device
from csvision.run.directory import RunDirectory, leads
from csvision.run.finite_loss import FiniteLoss
from csvision.run.interruption import Interruption, SaveWhenInterrupted
from csvision.run.progress import EpochBar, EpochRecorder
from csvision.run.random_streams import RandomStreams


def build_trainer(
    settings: schema.Train,
    run: RunDirectory,
    recorder: EpochRecorder,
    validates: bool,
    interruption: Interruption,
) -> Trainer:
    """The Trainer of a run."""
    checkpoints = Checkpoints(run, settings.checkpoint_seconds, validates)
    callbacks: list[Callback] = [
        RandomStreams(),
        FiniteLoss(run),
        recorder,
        # Checkpoints hold what the recorder knows of an epoch, so they come after it.
        checkpoints,
        SaveWhenInterrupted(interruption, checkpoints),
    ]
    bar = sys.stdout.isatty() and not settings.quiet and leads()
    if bar:
        callbacks.append(EpochBar())
    return Trainer(
        accelerator=settings.accelerator.name.value,
        devices=settings.accelerator.devices,
        strategy=sharing_strategy() if settings.accelerator.devices > 1 else "auto",
        precision=settings.accelerator.precision,  # type: ignore[arg-type]
        # On the CPU every layer computes the same bits each time; CUDA must be told to.
        deterministic="warn" if torch_device(settings.accelerator.name).type == "cuda" else None,
        max_epochs=settings.epochs,
        callbacks=callbacks,
        logger=False,
        profiler=SimpleProfiler(run.path, "profile") if settings.debug.profile else None,
        default_root_dir=run.path,
        num_sanity_val_steps=0,
        enable_checkpointing=False,
        enable_progress_bar=bar,
        enable_model_summary=False,
        limit_val_batches=None if validates else 0,
    )


def sharing_strategy() -> DDPStrategy:
    """Several processes that share the rows.

    Evaluation gives them unequal shares, so that no step of one may wait for another's buffers.
    """
    return DDPStrategy(broadcast_buffers=False)

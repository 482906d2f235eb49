"""Build the Lightning Trainer of a run.

A Trainer of one process ignores the variables of launchers: Slurm sets some in every job.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Literal

from lightning import Callback, Trainer
from lightning.fabric.plugins.environments.lightning import LightningEnvironment
from lightning.pytorch.profilers import SimpleProfiler
from lightning.pytorch.strategies import DDPStrategy
from torch import distributed

from csvision.callbacks.checkpoint import CheckpointCallback
from csvision.callbacks.early_stopping import EarlyStoppingCallback
from csvision.callbacks.history import HistoryCallback
from csvision.callbacks.plateau import PlateauCallback
from csvision.callbacks.progress_bar import EpochProgressBar, NotebookProgressBar
from csvision.callbacks.rng_state import RNGStateCallback
from csvision.callbacks.signals import SaveOnSignal
from csvision.callbacks.terminate_on_nan import TerminateOnNaN
from csvision.config import schema
from csvision.config.monitor import monitor_mode
from csvision.notebook import in_notebook
from csvision.run.device import torch_device
from csvision.run.directory import RunDirectory
from csvision.run.launch_environment import count_nodes
from csvision.run.log import is_terminal
from csvision.signals import SignalState


def build_trainer(
    config: schema.TrainConfig,
    run_dir: RunDirectory,
    history: HistoryCallback,
    checkpoints: CheckpointCallback,
    signals: SignalState,
    further: Sequence[Callback] = (),
) -> Trainer:
    """Return the Trainer of a run, with `further` callbacks after csvision's own.

    It writes nothing before the fit starts.
    """
    show_bar = is_terminal() and not config.quiet
    nodes = count_nodes(config.accelerator.devices)
    callbacks: list[Callback] = [
        RNGStateCallback(),
        TerminateOnNaN(run_dir.last),
        history,
        PlateauCallback(config.monitor),
        *early_stopping(config),
        # After the others, because checkpoints contain their states.
        checkpoints,
        SaveOnSignal(signals, checkpoints),
        *([EpochProgressBar()] if show_bar else []),
        *further,
        *([NotebookProgressBar()] if in_notebook() and not config.quiet else []),
    ]
    return Trainer(
        accelerator=config.accelerator.name.value,
        devices=config.accelerator.devices // nodes,
        num_nodes=nodes,
        strategy=ddp_strategy() if config.accelerator.devices > 1 else "auto",
        plugins=[] if config.accelerator.devices > 1 else [LightningEnvironment()],
        precision=config.accelerator.precision,  # type: ignore[arg-type]
        deterministic=deterministic(config.accelerator.name),
        max_epochs=config.epochs,
        callbacks=callbacks,
        logger=False,
        profiler=SimpleProfiler(run_dir.path, "profile") if config.debug.profile else None,
        default_root_dir=run_dir.path,
        num_sanity_val_steps=0,
        enable_checkpointing=False,
        enable_progress_bar=show_bar,
        enable_model_summary=False,
        limit_val_batches=None if checkpoints.has_val else 0,
    )


def early_stopping(config: schema.TrainConfig) -> list[Callback]:
    """Return the callback of early stopping; an empty list if it is off."""
    options = config.early_stopping
    if options.patience is None:
        return []
    mode = monitor_mode(config)
    return [EarlyStoppingCallback(config.monitor, mode, options.patience, options.min_delta)]


def build_eval_trainer(
    accelerator: schema.AcceleratorConfig, device: schema.AcceleratorName
) -> Trainer:
    """Return a Trainer that tests on `device`, with the precision used in training."""
    return Trainer(
        accelerator=device.value,
        devices=1,
        plugins=[LightningEnvironment()],
        precision=accelerator.precision,  # type: ignore[arg-type]
        deterministic=deterministic(device),
        logger=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        enable_checkpointing=False,
    )


def deterministic(name: schema.AcceleratorName) -> Literal["warn"] | None:
    """Return Lightning's option for deterministic algorithms, which only CUDA needs."""
    return "warn" if torch_device(name).type == "cuda" else None


@contextmanager
def end_process_group() -> Iterator[None]:
    """Destroy the process group that a distributed run has created.

    Its threads would abort a process that ends before they do. After an exception it is kept: other
    processes may be gone.
    """
    existed = distributed.is_available() and distributed.is_initialized()
    yield
    if not existed and distributed.is_available() and distributed.is_initialized():
        distributed.destroy_process_group()


def ddp_strategy() -> DDPStrategy:
    """Return the strategy for several processes.

    In evaluation they have different numbers of batches, so none may wait for buffers of another.
    """
    return DDPStrategy(broadcast_buffers=False)

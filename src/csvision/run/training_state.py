"""Choose the checkpoint from which a run is resumed; validate it before Lightning restores it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from lightning import Callback, Trainer
from torch import Tensor, nn

from csvision.callbacks.rng_state import RNGStateCallback
from csvision.classifier import Classifier
from csvision.config.serialize import Difference, diff_configs
from csvision.data.datamodule import CSVDataModule
from csvision.data.loader import BatchLoader, ShardInfo
from csvision.errors import RunError, first_line
from csvision.legacy import migrate_config
from csvision.optim import build_optimizer, build_schedulers
from csvision.run.checkpoints import load_weights, read_checkpoint, stored_config
from csvision.run.directory import RunDirectory
from csvision.run.extend import EXTENDED_FROM
from csvision.run.log import log
from csvision.weight_average import RAW_WEIGHTS


def latest_checkpoint(
    run_dir: RunDirectory, trainer: Trainer, classifier: Classifier, data: CSVDataModule
) -> Path | None:
    """Return the latest checkpoint from which a run can be resumed; None if the run has none.

    Raises RunError if none of its checkpoints can be used, if the configuration in run.json differs
    from that in the checkpoint, or if its weights are those of another network.
    """
    expected = expected_state(trainer, classifier, data)
    for path in (run_dir.last, run_dir.previous):
        if not path.exists():
            continue
        try:
            content = read_checkpoint(path)
            recorded = stored_config(path, content)
        except RunError as error:
            warn_and_skip(error)
            continue
        if changes := config_changes(run_dir, recorded):
            raise RunError([f"{run_dir.manifest} was modified: {change}" for change in changes])
        load_weights(classifier, path, content)
        try:
            check_structure(path, content, expected)
        except RunError as error:
            warn_and_skip(error)
            continue
        return path
    if run_dir.last.exists() or run_dir.previous.exists():
        raise RunError(
            f"run={run_dir.path}: no checkpoint can be resumed; the warnings say why; to train "
            f"from the beginning, delete {run_dir.checkpoints}"
        )
    return None


def config_changes(run_dir: RunDirectory, recorded: dict[str, Any]) -> list[Difference]:
    """Return how the configuration of a checkpoint differs from that in run.json.

    A checkpoint made before the run was extended has fewer epochs.
    """
    manifest = run_dir.read_manifest()
    current = migrate_config(manifest["config"])
    if recorded.get("epochs") in manifest.get(EXTENDED_FROM, []):
        recorded = recorded | {"epochs": current["epochs"]}
    return diff_configs(recorded, current)


def warn_and_skip(error: RunError) -> None:
    """Warn that a checkpoint cannot be used."""
    log.warning("%s; trying the checkpoint before it", first_line(error))


def expected_state(trainer: Trainer, classifier: Classifier, data: CSVDataModule) -> dict[str, Any]:
    """Return values with the structure of a checkpoint of this run: names, types and shapes."""
    callbacks: list[Callback] = trainer.callbacks  # type: ignore[attr-defined]
    states = {callback.state_key: callback.state_dict() for callback in callbacks}
    # The machine may have another number of GPUs than that of the checkpoint.
    states[RNGStateCallback.__qualname__]["cuda"] = []
    shard = ShardInfo(rank=trainer.global_rank, world_size=trainer.world_size)
    loader = BatchLoader(data.splits.train, data.batch_size, data.seed, shard)
    optimizer, schedulers = expected_optimizer_state(
        classifier, len(loader), trainer.max_epochs or 1
    )
    average = classifier.average
    raw_weights = {RAW_WEIGHTS: average.raw_weights()} if average else {}
    return {
        "loops": {"fit_loop": trainer.fit_loop.state_dict()},
        "callbacks": {name: state for name, state in states.items() if state},
        "optimizer_states": [optimizer],
        "lr_schedulers": schedulers,
        type(data).__qualname__: loader.state_dict(),
        **raw_weights,
    }


def expected_optimizer_state(
    classifier: Classifier, batches: int, epochs: int
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Return the states of optimizer and schedulers after one step of copied parameters."""
    assert classifier.optimizer_config is not None
    assert classifier.scheduler_config is not None
    parameters = [nn.Parameter(value.detach().clone()) for value in classifier.network.parameters()]
    for parameter in parameters:
        parameter.grad = torch.zeros_like(parameter)
    optimizer = build_optimizer(classifier.optimizer_config, parameters)
    schedulers = build_schedulers(
        classifier.scheduler_config, optimizer, batches * epochs, epochs, classifier.monitor
    )
    optimizer.step()
    return optimizer.state_dict(), [each["scheduler"].state_dict() for each in schedulers]


def check_structure(path: Path, content: dict[str, Any], expected: dict[str, Any]) -> None:
    """Raise RunError if an entry of a checkpoint is missing or has another type or shape."""
    for error in structure_errors("", content, expected):
        raise RunError(f"{path} is not a checkpoint of this run: {error}")


def structure_errors(name: str, content: Any, expected: Any) -> Iterator[str]:
    """Yield the differences between the structure of an entry and the expected one."""
    if not has_type_of(content, expected):
        yield f"{name} is a {type(content).__name__}, not a {type(expected).__name__}"
        return
    match expected:
        case dict():
            for key, value in expected.items():
                if key in content:
                    yield from structure_errors(f"{name}.{key}".lstrip("."), content[key], value)
                # The optimizer has no state for a parameter without gradients.
                elif not (isinstance(key, int) and content):
                    yield f"{name}.{key} is missing".lstrip(".")
        # Lists that grow during training are empty at the start.
        case list() if expected:
            if len(content) != len(expected):
                yield f"{name} has {len(content)} entries, not {len(expected)}"
            for index, (item, value) in enumerate(zip(content, expected, strict=False)):
                yield from structure_errors(f"{name}.{index}", item, value)
        case Tensor() if content.shape != expected.shape:
            yield f"{name} has the shape {tuple(content.shape)}, not {tuple(expected.shape)}"


def has_type_of(content: Any, expected: Any) -> bool:
    """Return whether two values have the same type; integers and floats count as one type."""
    if expected is None:
        return True
    if isinstance(expected, int | float):
        return isinstance(content, int | float)
    return isinstance(content, type(expected))

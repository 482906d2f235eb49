"""Read the checkpoints of a run; nothing in them is executed."""

import json
import logging
from pathlib import Path
from typing import Any

import torch

from csvision.classifier import Classifier
from csvision.config.serialize import diff_configs
from csvision.errors import RunError
from csvision.legacy import migrate_checkpoint, migrate_config
from csvision.run.directory import RunDirectory

log = logging.getLogger("csvision")


def read_checkpoint(path: Path) -> dict[str, Any]:
    """Return the content of a checkpoint, on the CPU; raises RunError if it cannot be read."""
    try:
        content: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    # torch raises any exception for a damaged or malicious file. Its message recommends to execute
    # the file, so it is not shown.
    except Exception as error:
        raise RunError(f"{path} is damaged or contains more than tensors and values") from error
    if isinstance(content, dict):
        migrate_checkpoint(content)
    return content


def read_checkpoint_config(path: Path) -> dict[str, Any]:
    """Return the configuration stored in a checkpoint, with the current names of keys.

    Raises RunError, KeyError, TypeError or ValueError if it has none.
    """
    return migrate_config(json.loads(read_checkpoint(path)["config"]))


def load_weights(classifier: Classifier, path: Path) -> None:
    """Load the weights of a checkpoint; raises RunError if they do not fit the network."""
    content = read_checkpoint(path)
    try:
        classifier.load_state_dict(content["state_dict"])
    except (RuntimeError, KeyError, TypeError, AttributeError) as error:
        raise RunError(f"{path} does not contain the weights of this network") from error


def latest_checkpoint(run_dir: RunDirectory) -> Path | None:
    """Return the latest readable checkpoint of a run; None if there is none.

    Raises RunError if the configuration in run.json differs from that in the checkpoint.
    """
    for path in (run_dir.last, run_dir.previous):
        if not path.exists():
            continue
        try:
            recorded = read_checkpoint_config(path)
        except (RunError, KeyError, TypeError, ValueError, AttributeError) as error:
            log.warning("%s; trying the checkpoint before it", error)
            continue
        current = migrate_config(run_dir.read_manifest()["config"])
        if changes := diff_configs(recorded, current):
            raise RunError([f"{run_dir.manifest} was modified: {change}" for change in changes])
        return path
    return None

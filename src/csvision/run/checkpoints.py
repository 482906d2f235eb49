"""Read the checkpoints of a run; nothing in them is executed."""

import json
import zipfile
from pathlib import Path
from typing import Any

import torch

from csvision.classifier import Classifier
from csvision.errors import RunError
from csvision.legacy import migrate_checkpoint, migrate_config
from csvision.run import provenance
from csvision.run.directory import RunDirectory


def read_checkpoint(path: Path) -> dict[str, Any]:
    """Return the content of a checkpoint, on the CPU; raises RunError if it cannot be read."""
    check_archive(path)
    try:
        content: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    # torch raises any exception for a damaged or malicious file. Its message recommends to execute
    # the file, so it is not shown.
    except Exception as error:
        raise RunError(f"{path} is damaged or contains more than tensors and values") from error
    if not isinstance(content, dict):
        raise RunError(f"{path} is not a checkpoint of a run")
    migrate_checkpoint(content)
    return content


def check_archive(path: Path) -> None:
    """Raise RunError if a checkpoint could need more memory than its size on the disk.

    torch writes zip archives without compression.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
        size = path.stat().st_size
    # zipfile raises several classes of errors for a damaged file.
    except Exception as error:
        raise RunError(f"{path} is damaged: it is not a checkpoint of torch") from error
    compressed = any(entry.compress_type != zipfile.ZIP_STORED for entry in entries)
    if compressed or sum(entry.file_size for entry in entries) > size:
        raise RunError(f"{path} is damaged: its entries are compressed or overlap")


def read_checkpoint_config(path: Path) -> dict[str, Any]:
    """Return the configuration stored in a checkpoint, with the current names of keys.

    Raises RunError if it has none.
    """
    return stored_config(path, read_checkpoint(path))


def stored_config(path: Path, content: dict[str, Any]) -> dict[str, Any]:
    """Return the configuration in the content of a checkpoint; raises RunError without one."""
    try:
        return migrate_config(json.loads(content["config"]))
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError) as error:
        raise RunError(f"{path} has no valid configuration") from error


def load_weights(classifier: Classifier, path: Path, content: dict[str, Any] | None = None) -> None:
    """Load the weights of a checkpoint, read before or now.

    Raises RunError if they do not fit the network.
    """
    content = content or read_checkpoint(path)
    try:
        classifier.load_state_dict(content["state_dict"])
    except (RuntimeError, KeyError, TypeError, AttributeError) as error:
        raise RunError(f"{path} does not contain the weights of this network") from error


def check_weights_hash(run_dir: RunDirectory, classifier: Classifier, path: Path) -> None:
    """Raise RunError if the loaded weights are not those that the finished run has tested."""
    expected = run_dir.read_manifest().get("weights_sha256")
    weights = classifier.network.state_dict()
    if expected is not None and provenance.weights_sha256(weights) != expected:
        raise RunError(
            f"{path}: the weights are not those of this run: their hash differs from "
            f"weights_sha256 in {run_dir.manifest.name}; to use them: check_weights=false"
        )

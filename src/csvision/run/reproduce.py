"""A finished run and its repetition compared: equal to the bit, or what differs and by how much."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from csvision import config, schema
from csvision.errors import RunError
from csvision.run import provenance
from csvision.run.checkpoints import read_checkpoint
from csvision.run.directory import RunDirectory

CAUSES = ("data", "config", "code", "versions", "machine", "accelerator", "threads")
"""What run.json says of a run's making, in the order in which it is told."""

RESULTS = ("weights_sha256", "predictions_sha256")


@dataclass(frozen=True)
class Comparison:
    """Whether a repetition came to the same, and a line for each thing that is not as it was."""

    repetition: Path
    equal: bool
    differences: list[str]


def require_finished(run: RunDirectory) -> None:
    """Raise RunError for a run that has no results to be compared."""
    manifest = run.read_manifest()
    if manifest.get("state") != "finished" or not all(name in manifest for name in RESULTS):
        raise RunError(
            f"run={run.path} has not finished; python scripts/resume.py run=... goes on with it"
        )


def compare(run: RunDirectory, repetition: RunDirectory, weights: schema.Weights) -> Comparison:
    """A run beside its repetition, of which the checkpoints of `weights` count."""
    before, now = run.read_manifest(), repetition.read_manifest()
    before["config"] = recorded_config(run)
    lines = [
        f"{cause}: {provenance.shortened(line)}"
        for cause in CAUSES
        for line in differences(cause, before.get(cause), now.get(cause))
    ]
    equal = all(before[name] == now[name] for name in RESULTS)
    if not equal:
        lines.append(
            weights_difference(run.checkpoint(weights), repetition.checkpoint(weights))
            or "predictions: other probabilities from equal weights"
        )
    return Comparison(repetition.path, equal, lines)


def recorded_config(run: RunDirectory) -> Any:
    """The configuration that the weights were trained with, which run.json may no longer say."""
    return json.loads(read_checkpoint(run.last)["config"])


IGNORED = ("accelerator", "checkpoint_seconds", "data.cache", "logger", "model.path", "outputs")
"""Keys that change no weight, or that run.json tells in another place."""


def differences(cause: str, before: Any, now: Any) -> list[str]:
    """How one entry of run.json differs."""
    found = config.differences(before, now, "" if isinstance(now, dict) else cause)
    return [line for line in found if cause != "config" or not line.startswith(IGNORED)]


def weights_difference(before: Path, now: Path) -> str:
    """By how much the weights of two checkpoints differ; empty if they do not."""
    states = [read_checkpoint(path)["state_dict"] for path in (before, now)]
    first, second = (
        {name: value.double() for name, value in state.items() if name.startswith("network.")}
        for state in states
    )
    shapes = [{name: value.shape for name, value in state.items()} for state in (first, second)]
    if shapes[0] != shapes[1]:
        return "weights: of other layers"
    most = {name: float((first[name] - second[name]).abs().max()) for name in first}
    worst = max(most, key=most.__getitem__)
    if not most[worst]:
        return ""
    return f"weights: differ by at most {most[worst]:.3g} ({worst.removeprefix('network.')})"

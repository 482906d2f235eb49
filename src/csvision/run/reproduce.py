"""Compare a finished run with its reproduction: bitwise identical, or what differs."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from csvision.command_hints import resume_command
from csvision.config import schema
from csvision.config.serialize import diff_configs
from csvision.errors import RunError
from csvision.run import provenance
from csvision.run.checkpoints import read_checkpoint, read_checkpoint_config
from csvision.run.code_paths import CodePaths
from csvision.run.directory import RunDirectory
from csvision.run.manifest import RESULT_HASHES

PROVENANCE_KEYS = (
    "data",
    "config",
    "init_from",
    "code",
    "versions",
    "machine",
    "accelerator",
    "threads",
)
"""The entries of run.json that can explain a difference, in the order of the report."""

IGNORED_KEYS = (
    "accelerator",
    "checkpoint_interval_seconds",
    "data.cache",
    "logger",
    "loss.path",
    "metric.path",
    "model.path",
    "output_dir",
    "transform.path",
)
"""Configuration keys that change no weight, or that run.json records elsewhere."""


@dataclass(frozen=True)
class Comparison:
    """Whether a reproduction has identical results, and one line for each difference."""

    reproduction: Path
    equal: bool
    differences: list[str]


def check_finished(run_dir: RunDirectory, paths: CodePaths) -> None:
    """Raise RunError if a run has no results to compare; `paths` are those of its code."""
    if run_dir.read_manifest()["state"] != "finished":
        resume = resume_command(run_dir.path, paths.words())
        raise RunError(f"run={run_dir.path} is not finished; to resume it: {resume}")


def compare(
    run_dir: RunDirectory, reproduction: RunDirectory, checkpoint: schema.CheckpointName
) -> Comparison:
    """Compare a run with its reproduction, by the checkpoints that were tested."""
    before, now = run_dir.read_manifest(), reproduction.read_manifest()
    # run.json may have been modified since; the checkpoint has the configuration of the weights.
    before["config"] = read_checkpoint_config(run_dir.last)
    lines = provenance_lines(before, now)
    equal = all(before[name] == now[name] for name in RESULT_HASHES)
    if not equal:
        paths = run_dir.checkpoint(checkpoint), reproduction.checkpoint(checkpoint)
        lines.append(
            max_weight_diff(*paths) or "predictions: equal weights gave other probabilities"
        )
    return Comparison(reproduction.path, equal, lines)


def provenance_lines(before: dict[str, Any], now: dict[str, Any]) -> list[str]:
    """Return one line for each difference of two manifests that can explain other results."""
    return [
        f"{entry}: {provenance.abbreviate_hashes(str(difference))}"
        for entry in PROVENANCE_KEYS
        for difference in diff_configs(before.get(entry), now.get(entry))
        if not (entry == "config" and difference.key.startswith(IGNORED_KEYS))
    ]


def max_weight_diff(before: Path, now: Path) -> str:
    """Describe the largest difference of the weights of two checkpoints; empty if equal."""
    states = [read_checkpoint(path)["state_dict"] for path in (before, now)]
    first, second = (
        {name: value for name, value in state.items() if name.startswith("network.")}
        for state in states
    )
    shapes = [{name: value.shape for name, value in state.items()} for state in (first, second)]
    if shapes[0] != shapes[1]:
        return "weights: different layers"
    diffs = {
        name: float((first[name].double() - second[name].double()).abs().max())
        for name in first
        if first[name].numel()
    }
    largest = max(diffs, key=diffs.__getitem__)
    if not diffs[largest]:
        return ""
    return f"weights: differ by at most {diffs[largest]:.3g} ({largest.removeprefix('network.')})"

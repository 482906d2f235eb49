"""Train configurations in four launch modes and compare the SHA-256 of their weights.

The launch modes are: one command per configuration, two commands in parallel, one sweep, and calls
of csvision.train in one Python process. 8 configurations take about 2 minutes on 2 cores.
"""

import itertools
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import csvision
from evidence_options import exit_with_errors, parse_options

COMMON = (
    "accelerator=cpu",
    "accelerator.num_threads=1",
    "debug.limit_rows=200",
    "epochs=2",
    "model.dropout=0.2",
    "model.hidden=[16]",
)

ACTIVATIONS = ("relu", "gelu", "tanh", "silu", "leaky_relu")

CHOICES = {"model": ("mlp", "cnn"), "augmentation": ("standard", "none")}


@dataclass
class Options:
    """The options of this script."""

    configurations: int = csvision.option(
        "number of configurations: 2 or a multiple of 4", 8, ge=2, le=4 * len(ACTIVATIONS)
    )


Hashes = list[str]
"""The SHA-256 of the weights of each configuration."""


def sweep_overrides(configurations: int) -> list[str]:
    """Return the overrides of a sweep over this number of configurations."""
    values = {"model.activation": ACTIVATIONS[: configurations // 4 or 1], **CHOICES}
    if configurations == 2:
        del values["augmentation"]
    return [f"{key}={','.join(choices)}" for key, choices in values.items()]


def expand(overrides: Sequence[str]) -> list[list[str]]:
    """Return the overrides of each job of a sweep, in its order."""
    pairs = [override.split("=") for override in overrides]
    choices = [[f"{key}={value}" for value in values.split(",")] for key, values in pairs]
    return [list(job) for job in itertools.product(*choices)]


def train_command(cache: Path, *arguments: str) -> None:
    """Run `csvision train` with a cache folder; raises CalledProcessError if it fails."""
    environment = os.environ | {"XDG_CACHE_HOME": str(cache)}
    command = [sys.executable, "-m", "csvision", "train", *COMMON, *arguments]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, env=environment)


def weights_sha256(directory: Path) -> str:
    """Return the hash of a run's weights."""
    manifest = json.loads((directory / "run.json").read_text(encoding="utf-8"))
    return str(manifest["weights_sha256"])


def run_commands(folder: Path, jobs: Sequence[list[str]], num_workers: int) -> Hashes:
    """Run one command per job, each with an empty cache and the TensorBoard logger."""

    def run(number: int) -> str:
        output_dir = folder / str(number)
        train_command(folder / f"cache{number}", *jobs[number], f"output_dir={output_dir}")
        (directory,) = output_dir.glob("runs/*")
        return weights_sha256(directory)

    with ThreadPoolExecutor(num_workers) as workers:
        return [*workers.map(run, range(len(jobs)))]


def run_sweep(folder: Path, overrides: Sequence[str]) -> Hashes:
    """Run one sweep, whose first job fills the cache of the others."""
    train_command(folder / "cache", "-m", *overrides, f"output_dir={folder}", "logger=none")
    directories = folder.glob("sweeps/*/*_*")
    in_order = sorted(directories, key=lambda path: int(path.name.partition("_")[0]))
    return [weights_sha256(directory) for directory in in_order]


def run_in_process(folder: Path, jobs: Sequence[list[str]]) -> Hashes:
    """Call csvision.train for each job; the state of the global RNGs differs before each call."""
    often = "checkpoint_interval_seconds=0.01"
    common = (*COMMON, f"output_dir={folder}", "quiet=true", "logger=none", often)
    return [weights_sha256(csvision.train(*common, *job).directory) for job in jobs]


def main() -> None:
    """Compare as many configurations as the command line says; exit with 1 if any differ."""
    count = parse_options(Options, __doc__).configurations
    overrides = sweep_overrides(count)
    jobs = expand(overrides)
    if len(jobs) != count:
        exit_with_errors([f"configurations={count} must be 2 or a multiple of 4"])
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        launch_modes: dict[str, Callable[[], Hashes]] = {
            "command": lambda: run_commands(folder / "command", jobs, num_workers=1),
            "parallel commands": lambda: run_commands(folder / "parallel", jobs, num_workers=2),
            "sweep": lambda: run_sweep(folder / "sweep", overrides),
            "Python": lambda: run_in_process(folder / "python", jobs),
        }
        hashes: dict[str, Hashes] = {}
        for mode, launch in launch_modes.items():
            print(f"training {len(jobs)} configurations: {mode}", flush=True)
            hashes[mode] = launch()
    equal = 0
    for job, found in zip(jobs, zip(*hashes.values(), strict=True), strict=True):
        same = len(set(found)) == 1
        equal += same
        shown = found[0][:12] if same else dict(zip(hashes, found, strict=True))
        print(f"{' '.join(job)}: {shown}")
    distinct = len(set(hashes["command"]))
    print(
        f"{equal} of {len(jobs)} configurations have equal weights in {len(hashes)} launch modes; "
        f"{distinct} distinct"
    )
    raise SystemExit(0 if equal == distinct == len(jobs) else 1)


if __name__ == "__main__":
    main()

"""Kill runs at random times, resume them, and compare them with uninterrupted runs.

Weights, predictions, history and metrics must be bitwise identical. 20 runs take about 2 minutes on
2 cores.
"""

import json
import os
import random
import signal
import tempfile
import time
import traceback
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd

import csvision
from evidence_options import parse_options


@dataclass
class Options:
    """The options of this script."""

    runs: int = csvision.option("number of runs to kill", 20, ge=1)
    seed: int = csvision.option("seed of the times at which runs are killed", 0, ge=0)


COMMON = (
    "accelerator=cpu",
    "accelerator.num_threads=1",
    "augmentation=standard",
    "batch_size=16",
    "checkpoint_interval_seconds=0.02",
    "debug.limit_rows=300",
    "epochs=6",
    "quiet=true",
)

MODELS = {
    "mlp": ("model=mlp", "model.hidden=[32,16]", "model.dropout=0.2"),
    "cnn": (
        "model=cnn",
        "model.stages=[{filters:4,normalization:batch,dropout:0.1},{filters:8,residual:1}]",
        "model.hidden=[16]",
        "model.dropout=0.3",
    ),
}

NUM_SEEDS = 5

MAX_KILLS = 3
"""How often one run is killed at most."""


@dataclass(frozen=True)
class Outcome:
    """What must not depend on interruptions."""

    weights: str
    predictions: str
    history: str
    metrics: str


def start_process(function: Callable[[], object]) -> int:
    """Call a function in a forked process, without output; return the process ID."""
    process = os.fork()
    if process:
        return process
    code = 1
    try:
        with Path(os.devnull).open("w") as null:
            os.dup2(null.fileno(), 1)
        function()
        code = 0
    except Exception:
        traceback.print_exc()
    finally:
        os._exit(code)


def wait_for(process: int) -> bool:
    """Wait for a process to end; return whether it succeeded."""
    return os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]) == 0


def train(*overrides: str) -> None:
    """Train a small run."""
    csvision.train(*COMMON, *overrides)


def kill_after(process: int, folder: Path, seconds: float) -> bool:
    """Kill a process some time after its run has started; return False if it ended before."""
    while not (found := [*folder.glob("runs/*/run.json")]) or (
        read_state(found[0].parent) != "running"
    ):
        if os.waitpid(process, os.WNOHANG)[0]:
            return False
        time.sleep(0.001)
    time.sleep(seconds)
    os.kill(process, signal.SIGKILL)
    return os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]) == -signal.SIGKILL


def read_manifest(directory: Path) -> dict[str, Any]:
    """Return the contents of run.json."""
    return dict(json.loads((directory / "run.json").read_text(encoding="utf-8")))


def read_state(directory: Path) -> str:
    """Return the state of a run; empty while its run.json is being written."""
    try:
        return str(read_manifest(directory)["state"])
    except ValueError:
        return ""


def read_outcome(directory: Path) -> Outcome:
    """Return the outcome of a finished run."""
    manifest = read_manifest(directory)
    history = pd.read_csv(directory / "history.csv").drop(columns="seconds")
    return Outcome(
        manifest["weights_sha256"],
        manifest["predictions_sha256"],
        history.to_csv(),
        (directory / "metrics.json").read_text(encoding="utf-8"),
    )


def differing_fields(expected: Outcome, found: Outcome) -> list[str]:
    """Return the names of the fields that differ."""
    pairs = zip(asdict(expected).items(), asdict(found).values(), strict=True)
    return [name for (name, value), other in pairs if value != other]


def run_uninterrupted(folder: Path, overrides: tuple[str, ...]) -> tuple[Outcome, float]:
    """Train to the end; return the outcome and the duration in seconds."""
    if not wait_for(start_process(lambda: train(f"output_dir={folder}", *overrides))):
        raise SystemExit("error: an uninterrupted run failed")
    (directory,) = folder.glob("runs/*")
    manifest = read_manifest(directory)
    started, ended = (pd.Timestamp(manifest[name]) for name in ("started", "ended"))
    return read_outcome(directory), (ended - started).total_seconds()


def run_interrupted(
    folder: Path, overrides: tuple[str, ...], seconds: float, rng: random.Random
) -> tuple[Outcome, int]:
    """Train, kill and resume up to MAX_KILLS times; return the outcome and the number of kills."""
    kills = 0
    process = start_process(lambda: train(f"output_dir={folder}", *overrides))
    for _ in range(rng.randint(1, MAX_KILLS)):
        kills += kill_after(process, folder, rng.uniform(0, seconds))
        (directory,) = folder.glob("runs/*")
        if read_state(directory) == "finished":
            return read_outcome(directory), kills
        process = start_process(partial(csvision.resume, directory))
    if not wait_for(process):
        raise SystemExit(f"error: {directory}: this run could not be resumed")
    return read_outcome(directory), kills


def main() -> None:
    """Kill as many runs as the command line says; exit with 1 if any result differs."""
    options = parse_options(Options, __doc__)
    # Imported once for all forked processes.
    import csvision.api  # noqa: F401

    rng = random.Random(options.seed)
    references: dict[tuple[str, ...], tuple[Outcome, float]] = {}
    equal = total_kills = 0
    with tempfile.TemporaryDirectory() as name:
        for run in range(options.runs):
            model = list(MODELS)[run % len(MODELS)]
            overrides = (*MODELS[model], f"seed={run // len(MODELS) % NUM_SEEDS}")
            folder = Path(name) / str(run)
            if overrides not in references:
                references[overrides] = run_uninterrupted(folder / "expected", overrides)
            expected, seconds = references[overrides]
            kills = 0
            # A run that ends before it is killed proves nothing.
            while not kills:
                attempt = folder / f"killed{time.monotonic_ns()}"
                found, kills = run_interrupted(attempt, overrides, seconds, rng)
            differing = differing_fields(expected, found)
            equal += not differing
            total_kills += kills
            verdict = f"DIFFERENT {', '.join(differing)}" if differing else "equal"
            progress = f"run {run + 1}/{options.runs}"
            print(f"{progress}: {model}, killed {kills} times, {verdict}", flush=True)
    print(f"{equal} of {options.runs} runs equal after {total_kills} kills")
    raise SystemExit(0 if equal == options.runs else 1)


if __name__ == "__main__":
    main()

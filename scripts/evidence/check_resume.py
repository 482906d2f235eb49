"""Kill runs at random times, resume them, and compare them with uninterrupted runs.

Weights, predictions, history and metrics must be bitwise identical. 20 runs take about 2 minutes on
2 cores.
"""

import json
import multiprocessing
import os
import random
import signal
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import partial
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Any

import pandas as pd

import csvision
import killed_sweep
from evidence_options import parse_options


@dataclass
class Options:
    """The options of this script."""

    mode: str = csvision.option(
        "run: many runs, each killed a few times; sweep: one sweep", "run", choices=("run", "sweep")
    )
    runs: int = csvision.option(
        "number of runs to kill, or how often the sweep is killed", 20, ge=1, le=100_000
    )
    seed: int = csvision.option("seed of the times at which runs are killed", 0, ge=0, le=2**32 - 1)


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

SWEEP = (*(each for each in COMMON if not each.startswith("epochs")), "epochs=10")

MAX_KILLS = 3
"""How often one run is killed at most."""

# Forking this process itself would deadlock the child if a library had started threads before. The
# fork server has none, and imports csvision once for all processes.
PROCESSES = multiprocessing.get_context("forkserver")
PROCESSES.set_forkserver_preload(["csvision.api"])


@dataclass(frozen=True)
class Outcome:
    """What must not depend on interruptions."""

    weights: str
    predictions: str
    history: str
    metrics: str


def start_process(function: Callable[[], object]) -> ForkServerProcess:
    """Call a function in a new process, without output."""
    process = PROCESSES.Process(target=call_silently, args=(function,))
    process.start()
    return process


def call_silently(function: Callable[[], object]) -> None:
    """Call a function while standard output is discarded."""
    with Path(os.devnull).open("w") as null:
        os.dup2(null.fileno(), 1)
    function()


def wait_for(process: ForkServerProcess) -> bool:
    """Wait for a process to end; return whether it succeeded."""
    process.join()
    return process.exitcode == 0


def train(*overrides: str) -> None:
    """Train a small run."""
    csvision.train(*COMMON, *overrides)


def kill_after(process: ForkServerProcess, folder: Path, seconds: float) -> bool:
    """Kill a process some time after its run has started; return False if it ended before."""
    while not (found := [*folder.glob("runs/*/run.json")]) or (
        read_state(found[0].parent) != "running"
    ):
        if not process.is_alive():
            return False
        time.sleep(0.001)
    time.sleep(seconds)
    process.kill()
    process.join()
    return process.exitcode == -signal.SIGKILL


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
    if not wait_for(start_process(partial(train, f"output_dir={folder}", *overrides))):
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
    process = start_process(partial(train, f"output_dir={folder}", *overrides))
    for _ in range(rng.randint(1, MAX_KILLS)):
        kills += kill_after(process, folder, rng.uniform(0, seconds))
        (directory,) = folder.glob("runs/*")
        if read_state(directory) == "finished":
            return read_outcome(directory), kills
        process = start_process(partial(csvision.resume, directory))
    if not wait_for(process):
        raise SystemExit(f"error: {directory}: this run could not be resumed")
    return read_outcome(directory), kills


def check_sweep(kills: int, rng: random.Random) -> None:
    """Kill a sweep; exit with 1 if the weights of a job differ."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        expected, seconds = killed_sweep.run_uninterrupted(
            folder / "expected", SWEEP, start_process
        )
        found = killed_sweep.run_killed(folder, SWEEP, kills, seconds, rng, start_process)
    equal = sum(found.get(job) == sha256 for job, sha256 in expected.items())
    print(f"{equal} of {len(expected)} jobs equal after {kills} kills of the sweep")
    raise SystemExit(0 if equal == len(expected) else 1)


def main() -> None:
    """Kill as many runs as the command line says; exit with 1 if any result differs."""
    options = parse_options(Options, __doc__)
    rng = random.Random(options.seed)
    if options.mode == "sweep":
        check_sweep(options.runs, rng)
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

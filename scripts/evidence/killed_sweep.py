"""A sweep in worker processes that is killed again and again, beside one that is not."""

import json
import random
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import partial
from multiprocessing.context import ForkServerProcess
from pathlib import Path

import psutil

import csvision

SWEEP = (
    "model=mlp",
    "model.hidden=[32,16]",
    "model.dropout=0.2",
    "optimizer.lr=0.001,0.01",
    "seed=0,1,2",
    "logger=none",
    "launcher.n_jobs=2",
)

Start = Callable[[Callable[[], object]], ForkServerProcess]
"""Calls a function in a new process."""


def weights(sweep: Path) -> dict[str, str]:
    """Return the hash of the weights of each job."""
    manifests = {path.parent.name: path.read_text("utf-8") for path in sweep.glob("*/run.json")}
    return {name: json.loads(text)["weights_sha256"] for name, text in manifests.items()}


def only_sweep(folder: Path) -> Path:
    """Return the only sweep in an output folder."""
    (sweep,) = (folder / "sweeps").iterdir()
    return sweep


def run_uninterrupted(
    folder: Path, overrides: tuple[str, ...], start: Start
) -> tuple[dict[str, str], float]:
    """Run the sweep to its end; return the weights, and its seconds without those of the start."""
    started: float | None = None
    process = start(partial(csvision.sweep, *overrides, *SWEEP, f"output_dir={folder}"))
    while process.is_alive():
        if started is None and [*folder.glob("sweeps/*/*/run.json")]:
            started = time.monotonic()
        time.sleep(0.01)
    if process.exitcode or started is None:
        raise SystemExit("error: an uninterrupted sweep failed")
    return weights(only_sweep(folder)), time.monotonic() - started


def is_training(sweep: Path, since: float) -> bool:
    """Return whether a job of the sweep has started to run since a time."""
    for path in sweep.glob("*/run.json"):
        with suppress(OSError, ValueError):
            state = json.loads(path.read_text("utf-8"))["state"]
            if state == "running" and path.stat().st_mtime > since:
                return True
    return False


def kill(process: ForkServerProcess, folder: Path, seconds: float, rng: random.Random) -> bool:
    """Kill the main process, or all processes, some time after a job has started.

    Returns False if the sweep ended before.
    """
    since = time.time()
    while not any(is_training(sweep, since) for sweep in folder.glob("sweeps/*")):
        if not process.is_alive():
            return False
        time.sleep(0.001)
    time.sleep(seconds)
    assert process.pid is not None
    with suppress(psutil.NoSuchProcess):
        workers = psutil.Process(process.pid).children(recursive=True)
        process.kill()
        if rng.random() < 0.5:
            for worker in workers:
                worker.kill()
        # Workers without a main process save checkpoints before they end.
        psutil.wait_procs(workers)
    process.join()
    return bool(process.exitcode)


def run_killed(
    folder: Path,
    overrides: tuple[str, ...],
    kills: int,
    seconds: float,
    rng: random.Random,
    start: Start,
) -> Mapping[str, str]:
    """Run the sweep, kill it `kills` times and resume it; return the weights.

    A job that was running in the processes that are killed has lost up to two checkpoints, never
    its directory. Starts again with shorter times if the sweep ends before the last kill.
    """
    share = 1.0
    for attempt in range(100):
        home = folder / str(attempt)
        process = start(partial(csvision.sweep, *overrides, *SWEEP, f"output_dir={home}"))
        for _ in range(kills):
            if not kill(process, home, rng.uniform(0, share * seconds / kills), rng):
                break
            process = start(partial(csvision.resume_sweep, only_sweep(home)))
        else:
            process.join()
            if process.exitcode:
                raise SystemExit(f"error: {home}: this sweep could not be resumed")
            return weights(only_sweep(home))
        process.join()
        share /= 2
    raise SystemExit("error: the sweep is too short to be killed this often")

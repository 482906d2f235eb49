"""Kill runs at random moments, resume them, and compare them with the runs never interrupted:

python scripts/kill_and_resume.py runs=100
"""

import json
import os
import random
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd

COMMON = (
    "accelerator=cpu",
    "accelerator.threads=1",
    "augmentation=standard",
    "batch_size=16",
    "checkpoint_seconds=0.02",
    "debug.rows=300",
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

MOST_KILLS = 3
"""Of one run, on its way to its end."""


@dataclass(frozen=True)
class Outcome:
    """What must not depend on interruptions."""

    weights: str
    predictions: str
    history: str
    metrics: str


def in_process(work: Callable[[], object]) -> int:
    """Do something in a process of its own, which a kill can hit; its number."""
    process = os.fork()
    if process:
        return process
    code = 1
    try:
        with Path(os.devnull).open("w") as nowhere:
            os.dup2(nowhere.fileno(), 1)
        work()
        code = 0
    finally:
        os._exit(code)


def ended_well(process: int) -> bool:
    """Wait for a process; whether it did what it should."""
    return os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]) == 0


def train(*overrides: str) -> None:
    """Train a small run."""
    import csvision

    csvision.train(*COMMON, *overrides)


def resume(directory: Path) -> None:
    """Go on with a run."""
    import csvision

    csvision.resume(directory)


def killed(process: int, folder: Path, moment: float) -> bool:
    """Kill a process a time after its run has a directory; whether it was still under way."""
    while not (found := [*folder.glob("runs/*/run.json")]) or state(found[0].parent) != "running":
        if os.waitpid(process, os.WNOHANG)[0]:
            return False
        time.sleep(0.001)
    time.sleep(moment)
    os.kill(process, signal.SIGKILL)
    return os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]) == -signal.SIGKILL


def manifest(directory: Path) -> dict[str, Any]:
    """What run.json says."""
    return dict(json.loads((directory / "run.json").read_text(encoding="utf-8")))


def state(directory: Path) -> str:
    """How a run is; empty while its run.json is being written."""
    try:
        return str(manifest(directory)["state"])
    except ValueError:
        return ""


def outcome(directory: Path) -> Outcome:
    """What a finished run came to."""
    content = manifest(directory)
    history = pd.read_csv(directory / "history.csv").drop(columns="seconds")
    return Outcome(
        content["weights_sha256"],
        content["predictions_sha256"],
        history.to_csv(),
        (directory / "metrics.json").read_text(encoding="utf-8"),
    )


def different(expected: Outcome, found: Outcome) -> str:
    """The names of what differs."""
    pairs = zip(asdict(expected).items(), asdict(found).values(), strict=True)
    return ", ".join(name for (name, value), other in pairs if value != other)


def uninterrupted(folder: Path, overrides: tuple[str, ...]) -> tuple[Outcome, float]:
    """The outcome of a run that nothing disturbs, and the seconds that it takes."""
    if not ended_well(in_process(lambda: train(f"outputs={folder}", *overrides))):
        raise SystemExit("error: a run failed that nothing had interrupted")
    (directory,) = folder.glob("runs/*")
    content = manifest(directory)
    begun, ended = (pd.Timestamp(content[name]) for name in ("started", "ended"))
    return outcome(directory), (ended - begun).total_seconds()


def interrupted(
    folder: Path, overrides: tuple[str, ...], seconds: float, chance: random.Random
) -> tuple[Outcome, int]:
    """The outcome of a run killed once or more and resumed to its end; how often it was killed."""
    kills = 0
    process = in_process(lambda: train(f"outputs={folder}", *overrides))
    for _ in range(chance.randint(1, MOST_KILLS)):
        kills += killed(process, folder, chance.uniform(0, seconds))
        (directory,) = folder.glob("runs/*")
        if state(directory) == "finished":
            return outcome(directory), kills
        process = in_process(partial(resume, directory))
    if not ended_well(process):
        raise SystemExit(f"error: {directory} could not be resumed")
    return outcome(directory), kills


def main() -> None:
    """Kill as many runs as the command line says."""
    if "--help" in sys.argv:
        print(__doc__)
        return
    key, _, number = sys.argv[-1].partition("=")
    if len(sys.argv) != 2 or key != "runs" or not number.isdecimal():
        raise SystemExit("error: write python scripts/kill_and_resume.py runs=100")
    chance = random.Random(int(number))
    expected: dict[tuple[str, ...], tuple[Outcome, float]] = {}
    equal = kills = 0
    with tempfile.TemporaryDirectory() as name:
        for run in range(int(number)):
            model = list(MODELS)[run % len(MODELS)]
            overrides = (*MODELS[model], f"seed={run // len(MODELS) % 5}")
            folder = Path(name) / str(run)
            if overrides not in expected:
                expected[overrides] = uninterrupted(folder / "whole", overrides)
            whole, seconds = expected[overrides]
            found, killed_times = whole, 0
            while not killed_times:
                attempt = folder / f"killed{time.monotonic_ns()}"
                found, killed_times = interrupted(attempt, overrides, seconds, chance)
            equal += found == whole
            kills += killed_times
            verdict = f"OTHER {different(whole, found)}" if found != whole else "equal"
            print(
                f"run {run + 1}/{number}: {model}, killed {killed_times} times, {verdict}",
                flush=True,
            )
    print(f"{equal} of {number} runs equal after {kills} kills")
    raise SystemExit(0 if equal == int(number) else 1)


if __name__ == "__main__":
    # Loaded once for all processes; nothing is computed here.
    import csvision.api  # noqa: F401

    main()

"""Wall-clock time of a sweep beside the notebook as a script, and beside one job after another."""

import os
import subprocess
import sys
import tempfile
import time
from collections import deque
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from statistics import median

NOTEBOOK = Path(__file__).with_name("notebook.py")

COMMON = ("accelerator=cpu", "accelerator.num_threads=1", "logger=none", "quiet=true")


def run_processes(commands: Sequence[Sequence[str]], parallel: int) -> float:
    """Run commands, as many at the same time as given; return the seconds."""
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    start = time.perf_counter()
    waiting = deque(commands)
    running: list[subprocess.Popen[bytes]] = []
    while waiting or running:
        while waiting and len(running) < parallel:
            command = waiting.popleft()
            running.append(subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL))
        time.sleep(0.01)
        for process in [each for each in running if each.poll() is not None]:
            running.remove(process)
            if process.returncode:
                raise SystemExit(f"error: {process.args!r} ended with {process.returncode}")
    return time.perf_counter() - start


def run_notebooks(model: str, jobs: int, parallel: int) -> float:
    """Run the notebook's script as often as a sweep has jobs; return the seconds."""
    return run_processes([[sys.executable, str(NOTEBOOK), model]] * jobs, parallel)


def run_sweep(model: str, jobs: int, launcher: str) -> float:
    """Run a sweep over seeds with the settings of the notebook; return the seconds."""
    with tempfile.TemporaryDirectory() as folder:
        words = (
            f"experiment=notebook_{model}",
            f"seed=range({jobs})",
            f"launcher={launcher}",
            f"output_dir={folder}",
        )
        command = [sys.executable, "-m", "csvision", "train", "-m", *words, *COMMON]
        return run_processes([command], 1)


def benchmark_sweeps(repeats: int, models: Sequence[str], jobs: int) -> None:
    """Print the median seconds of each way, and how many times faster the sweep is."""
    for model in models:
        arms: dict[str, Callable[[], float]] = {
            "notebook scripts, one at a time": partial(run_notebooks, model, jobs, 1),
            "notebook scripts, two at a time": partial(run_notebooks, model, jobs, 2),
            "sweep, launcher=serial": partial(run_sweep, model, jobs, "serial"),
            "sweep, launcher=local": partial(run_sweep, model, jobs, "local"),
        }
        # Alternately, so that a change of the machine affects all of them.
        rounds = [{name: arm() for name, arm in arms.items()} for _ in range(repeats)]
        seconds = {name: median(each[name] for each in rounds) for name in arms}
        sweep = seconds["sweep, launcher=local"]
        print(f"\n{jobs} jobs of notebook_{model}, 10 epochs, median of {repeats}")
        print(f"{'':<34} {'seconds':>8} {'sweep is faster by':>19}")
        for name, value in seconds.items():
            print(f"{name:<34} {value:8.1f} {value / sweep:18.2f}x", flush=True)

"""Measure the time of an epoch of csvision and of other loops, all arms in turn."""

import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from statistics import median

import torch

from training_arms import list_arms
from training_results import Result, Task, summarize

NOTEBOOK = Path(__file__).with_name("notebook.py")

EPOCHS = {"mlp": 30, "cnn": 3}
"""Epochs per measurement: about two seconds of the notebook's loop on two cores."""


def describe_machine() -> str:
    """Return the date, the machine and the version of torch."""
    return (
        f"{date.today()}, {os.cpu_count()} processors ({platform.machine()}, "
        f"{torch.backends.cpu.get_cpu_capability()}), {torch.get_num_threads()} threads, "
        f"torch {torch.__version__}, load {os.getloadavg()[0]:.1f}"
    )


def benchmark_training(repeats: int, models: Sequence[str], batch_sizes: Sequence[int]) -> None:
    """Print a table of seconds per epoch, their ratio to the notebook's loop, and accuracies."""
    print(describe_machine())
    arms = list_arms()
    for model in models:
        for batch_size in batch_sizes:
            results: dict[str, list[Result]] = {name: [] for name in arms}
            for seed in range(repeats):
                task = Task(model, batch_size, EPOCHS[model], seed)
                for name, train in arms.items():
                    if (result := train(task)) is not None:
                        results[name].append(result)
            print_table(f"{model}, batch size {batch_size}", results)
        print_process_times(model, repeats)


def print_table(title: str, results: dict[str, list[Result]]) -> None:
    """Print a row for each arm."""
    print(f"\n{title:<24} {'s/epoch':>8} {'ratio':>6} {'accuracy':>9}")
    references = next(iter(results.values()))
    for name, values in results.items():
        if values:
            seconds, ratio, accuracy = summarize(values, references)
            shown = "" if accuracy is None else f"{accuracy:.4f}"
            print(f"{name:<24} {seconds:>8.4f} {ratio:>6.2f} {shown:>9}", flush=True)


def print_process_times(model: str, repeats: int) -> None:
    """Print the time of whole processes: the notebook as a script, and csvision's command."""
    seconds: dict[str, list[float]] = {}
    for _ in range(repeats):
        with tempfile.TemporaryDirectory() as folder:
            command = [sys.executable, "-m", "csvision", "train", f"experiment=notebook_{model}"]
            command += ["accelerator=cpu", f"output_dir={folder}"]
            commands = {
                "notebook script": [sys.executable, str(NOTEBOOK), model],
                "csvision train": command,
                "csvision train, bf16": [*command, "accelerator.precision=bf16-mixed"],
            }
            for name, words in commands.items():
                start = time.perf_counter()
                subprocess.run(words, check=True, capture_output=True)
                seconds.setdefault(name, []).append(time.perf_counter() - start)
    print(f"\n{f'{model}, whole process':<24} {'seconds':>8} {'ratio':>6}")
    references = seconds["notebook script"]
    for name, values in seconds.items():
        ratio = median(value / other for value, other in zip(values, references, strict=True))
        print(f"{name:<24} {median(values):>8.2f} {ratio:>6.2f}", flush=True)

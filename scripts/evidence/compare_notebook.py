"""Compare the test accuracy of csvision with that of the course notebook's training loop.

Both train the notebook's networks on the same rows with the same settings. Initial weights and the
order of the rows differ, so accuracies agree on average only. The default takes about 2 minutes.
"""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from statistics import mean
from typing import Any

import csvision
import notebook
from evidence_options import parse_options


@dataclass
class Options:
    """The options of this script."""

    seeds: int = csvision.option("number of seeds, from 0", 3, ge=1, le=1000)
    epochs: int = csvision.option("epochs of each run; the notebook has 10", 10, ge=1, le=1000)
    output_dir: str = csvision.option("folder of csvision's runs", "outputs")


def csvision_accuracy(model: str, seed: int, options: Options) -> float:
    """Train with csvision; return the test accuracy."""
    result = csvision.train(
        f"experiment=notebook_{model}",
        f"seed={seed}",
        f"epochs={options.epochs}",
        f"output_dir={options.output_dir}",
        "accelerator=cpu",
        "logger=none",
        "quiet=true",
    )
    return result.metrics["test/acc"]


def timed(function: Callable[..., float], *arguments: Any) -> tuple[float, float]:
    """Return the result of a function and the seconds it took."""
    start = time.perf_counter()
    return function(*arguments), time.perf_counter() - start


def main() -> None:
    """Print one row for each run and the mean of each model."""
    options = parse_options(Options, __doc__)
    print(f"{'model':<5} {'seed':>4} {'csvision':>9} {'notebook':>9} {'difference':>11}", end="")
    print(f" {'csvision s':>11} {'notebook s':>11}", flush=True)
    for model in ("mlp", "cnn"):
        rows = []
        for seed in range(options.seeds):
            ours, our_seconds = timed(csvision_accuracy, model, seed, options)
            theirs, their_seconds = timed(notebook.run, model, seed, options.epochs)
            rows.append((ours, theirs, ours - theirs, our_seconds, their_seconds))
            print(format_row(model, str(seed), rows[-1]), flush=True)
        print(format_row(model, "mean", [mean(column) for column in zip(*rows, strict=True)]))


def format_row(model: str, seed: str, values: Iterable[float]) -> str:
    """Format one row of the table."""
    ours, theirs, difference, our_seconds, their_seconds = values
    return (
        f"{model:<5} {seed:>4} {ours:>9.4f} {theirs:>9.4f} {difference:>+11.4f} "
        f"{our_seconds:>11.1f} {their_seconds:>11.1f}"
    )


if __name__ == "__main__":
    main()

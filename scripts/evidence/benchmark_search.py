"""Compare searches with and without pruning: the best validation accuracy and the time.

Each pair of searches has the same sampler seed, space and number of trials; the order of the two
alternates. The time is that of the processor, or that of the clock on an idle machine.
"""

import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import mean

import csvision
from evidence_options import parse_options

SPACE = (
    "optimizer.lr=tag(log, interval(1e-4, 1e-1))",
    "optimizer.weight_decay=tag(log, interval(1e-5, 1e-1))",
    "batch_size=32,64,128",
    "model.hidden=[32],[128],[128,64]",
    "model.dropout=interval(0, 0.5)",
)
"""Five keys of an MLP."""


@dataclass
class Options:
    """The options of this script."""

    seeds: int = csvision.option("pairs of searches", 5, ge=1, le=100)
    n_trials: int = csvision.option("trials of each search", 30, ge=2, le=1000)
    epochs: int = csvision.option("epochs of each trial", 10, ge=2, le=1000)
    pruner: str = csvision.option("pruner to compare", "median", choices=("median", "hyperband"))
    clock: str = csvision.option("time to compare", "process", choices=("process", "wall"))


@dataclass(frozen=True)
class Search:
    """The result of one search."""

    best: float
    seconds: float
    pruned: int


def measure(options: Options, seed: int, pruner: str) -> Search:
    """Run a search in this process, with one thread."""
    clock = time.process_time if options.clock == "process" else time.perf_counter
    with tempfile.TemporaryDirectory() as folder:
        start = clock()
        report = csvision.run_search(
            *("model=mlp", "accelerator=cpu", "accelerator.num_threads=1", "logger=none"),
            *(f"epochs={options.epochs}", f"search.n_trials={options.n_trials}"),
            *(f"search.seed={seed}", f"search.pruner={pruner}"),
            *SPACE,
            directory=Path(folder) / "search",
        )
        seconds = clock() - start
    assert report.best is not None
    value = report.trials[report.best].value
    assert value is not None
    print(f"seed {seed}, pruner {pruner}: best {value:.4f}, {seconds:.1f} s", flush=True)
    return Search(value, seconds, sum(trial.state == "pruned" for trial in report.trials))


def main() -> None:
    """Run the searches and print the table."""
    options = parse_options(Options, __doc__)
    pairs = []
    for seed in range(options.seeds):
        names = ["none", options.pruner][:: -1 if seed % 2 else 1]
        found = {name: measure(options, seed, name) for name in names}
        pairs.append((found["none"], found[options.pruner]))
    print(f"\n{'seed':>4} {'best, none':>11} {'pruned':>8} {'seconds, none':>14} {'pruned':>8}")
    for seed, (none, pruned) in enumerate(pairs):
        print(
            f"{seed:>4} {none.best:>11.4f} {pruned.best:>8.4f} {none.seconds:>14.1f} "
            f"{pruned.seconds:>8.1f}   {pruned.pruned} of {options.n_trials} trials pruned"
        )
    difference = mean(pruned.best - none.best for none, pruned in pairs)
    ratio = mean(pruned.seconds / none.seconds for none, pruned in pairs)
    print(f"mean difference of the best: {100 * difference:+.2f} points")
    print(f"mean ratio of the times: {ratio:.2f}")


if __name__ == "__main__":
    main()

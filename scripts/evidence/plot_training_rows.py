"""Plot the test accuracy against the number of training rows, for several settings of training.

Trains on the first rows of Fashion-MNIST (`csvision prepare-fashion-mnist` writes the files) and
tests on all 10,000 official test images. Every run has at least `min_steps` steps, so that few
rows do not mean little training. Writes training_rows.csv and training_rows.png; output_dir=docs
replaces those of docs/benchmarks.md.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from math import ceil
from pathlib import Path
from tempfile import TemporaryDirectory

import pandas as pd
from matplotlib.figure import Figure

import csvision
from csvision.config import schema
from csvision.run.prepare import prepare_run
from csvision.run.train import train
from evidence_options import parse_options

SETTINGS = {
    "MLP": ("model=mlp",),
    "CNN": ("model=cnn",),
    "residual CNN, augmented": ("experiment=fmnist_small_strong", "epochs=10"),
}
"""The overrides of each curve."""

COMMON = ("data=fmnist", "data.val_size=0", "accelerator=cpu", "logger=none", "quiet=true")


@dataclass
class Options:
    """The options of this script."""

    rows: str = csvision.option(
        "numbers of training rows, separated by a comma", "300,1000,3000,10000,30000,60000"
    )
    seeds: int = csvision.option("runs per point", 3, ge=1, le=1000)
    min_steps: int = csvision.option("the least number of steps of a run", 2000, ge=1, le=10**6)
    csv: str = csvision.option(
        "training images, the label first", "outputs/data/fashion_mnist/train.csv"
    )
    test_csv: str = csvision.option("test images", "outputs/data/fashion_mnist/test.csv")
    output_dir: str = csvision.option("folder of the table and the figure", "outputs/figures")


def train_on_rows(config: schema.TrainConfig, rows: int, min_steps: int) -> float:
    """Train on the first rows, for more epochs if they are few; return the test accuracy."""
    splits = csvision.load_splits(config.data)
    splits = replace(splits, train=splits.train.head(rows))
    steps = ceil(len(splits.train) / config.batch_size)
    config = replace(config, epochs=max(config.epochs, ceil(min_steps / steps)))
    with TemporaryDirectory() as folder:
        prepared = prepare_run(replace(config, output_dir=folder), splits)
        with csvision.log_to_console(quiet=True):
            return train(prepared, Path(folder) / "run").metrics["test/acc"]


def measure(options: Options) -> Iterator[dict[str, str | int | float]]:
    """Yield a row for each run."""
    files = (f"data.csv={options.csv}", f"data.test_csv={options.test_csv}")
    for name, overrides in SETTINGS.items():
        for rows in map(int, options.rows.split(",")):
            for seed in range(options.seeds):
                config = csvision.load_config(
                    "train", [*COMMON, *files, *overrides, f"seed={seed}"]
                )
                accuracy = train_on_rows(config, rows, options.min_steps)
                print(f"{name}, {rows} rows, seed {seed}: test/acc {accuracy:.4f}", flush=True)
                yield {"setting": name, "rows": rows, "seed": seed, "test/acc": accuracy}


def plot(table: pd.DataFrame) -> Figure:
    """Plot each run as a point and the mean over seeds as a line."""
    figure = Figure(figsize=(6, 4), layout="constrained")
    axes = figure.subplots()
    for index, (name, runs) in enumerate(table.groupby("setting", sort=False)):
        axes.plot(runs["rows"], runs["test/acc"], ".", color=f"C{index}", alpha=0.4)
        mean = runs.groupby("rows")["test/acc"].mean()
        axes.plot(mean.index, mean.to_numpy(), color=f"C{index}", label=name)
    axes.set_xscale("log")
    axes.set_xlabel("training rows")
    axes.set_ylabel("test accuracy")
    axes.grid(alpha=0.3)
    axes.legend(frameon=False)
    return figure


def main() -> None:
    """Train all runs, and write the table and the figure."""
    options = parse_options(Options, __doc__)
    table = pd.DataFrame(measure(options))
    folder = Path(options.output_dir)
    folder.mkdir(parents=True, exist_ok=True)
    table.to_csv(folder / "training_rows.csv", index=False, float_format="%.4f")
    plot(table).savefig(folder / "training_rows.png", dpi=110)
    print(folder / "training_rows.png")


if __name__ == "__main__":
    main()

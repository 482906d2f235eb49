"""Measure what class weights and balanced sampling gain on classes of different size.

Five of ten classes of 8x8 digits have 100 training rows, five have 5; the test file has 40 rows of
each class. Trains the same MLP for some numbers of epochs with each option and several seeds.
Prints the mean test/balanced_acc of the default, and what each option gains: the mean and the
standard deviation over the seeds.
"""

import logging
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

import csvision
from csvision.data.example_data import digits
from evidence_options import parse_options

METHODS = ("loss.class_weights=balanced", "data.balanced_sampling=true")

EPOCHS = (10, 15, 30, 60, 120)

TEST_ROWS = 40
FREQUENT_ROWS = 100
RARE_ROWS = 5

RUN = (
    *("data=csv", "model=mlp", "model.hidden=[16]", "data.val_size=0", "batch_size=32"),
    *("optimizer.lr=0.01", "data.cache=none", "accelerator=cpu", "accelerator.num_threads=1"),
    *("logger=none", "quiet=true"),
)


@dataclass
class Options:
    """The options of this script."""

    seeds: int = csvision.option("runs of each setting", 5, ge=2, le=1000)
    longest: int = csvision.option("leave out larger numbers of epochs", EPOCHS[-1], ge=EPOCHS[0])


def write_files(folder: Path) -> tuple[str, str]:
    """Write the training and the test file; return the overrides that name them."""
    train, test = [], []
    for label, rows in digits().groupby("label"):
        count = FREQUENT_ROWS if int(str(label)) < 5 else RARE_ROWS
        test.append(rows[:TEST_ROWS])
        train.append(rows[TEST_ROWS : TEST_ROWS + count])
    for name, tables in (("train", train), ("test", test)):
        pd.concat(tables).to_csv(folder / f"{name}.csv", index=False)
    return f"data.csv={folder / 'train.csv'}", f"data.test_csv={folder / 'test.csv'}"


def balanced_accuracies(overrides: Sequence[str], seeds: int) -> NDArray[np.float64]:
    """Return test/balanced_acc of each seed."""
    runs = (csvision.train(*RUN, *overrides, f"seed={seed}") for seed in range(seeds))
    return np.array([run.metrics["test/balanced_acc"] for run in runs])


def main() -> None:
    """Print a row for each number of epochs."""
    options = parse_options(Options, __doc__)
    # Each run warns that the classes have different numbers of rows.
    logging.disable(logging.WARNING)
    print("epochs  default", *(f"{method:>27}" for method in METHODS), sep="  ")
    with tempfile.TemporaryDirectory() as name:
        files = (*write_files(Path(name)), f"output_dir={name}")
        for epochs in (each for each in EPOCHS if each <= options.longest):
            common = (*files, f"epochs={epochs}")
            default = balanced_accuracies(common, options.seeds)
            cells = []
            for method in METHODS:
                gains = balanced_accuracies((*common, method), options.seeds) - default
                cells.append(f"{f'{gains.mean():+.3f} ({gains.std(ddof=1):.3f})':>27}")
            print(f"{epochs:>6}  {default.mean():7.3f}", *cells, sep="  ", flush=True)


if __name__ == "__main__":
    main()

"""Measure csvision beside what it replaces.

suite=read: time and memory of reading a CSV file, with pandas.read_csv.
suite=train: seconds per epoch beside the notebook's loop, plain Lightning, skorch (if installed),
scikit-learn and loops over tensors, then whole processes. It takes about 10 minutes on two cores;
nothing else should run.
suite=sweep: a sweep in parallel, one job after another, and the notebook as a script, on an
otherwise idle machine.
"""

from dataclasses import dataclass

import csvision
from evidence_options import exit_with_errors, parse_options
from reading_benchmark import benchmark_reading
from sweep_benchmark import benchmark_sweeps
from training_benchmark import EPOCHS, benchmark_training

SUITES = ("read", "train", "sweep")


@dataclass
class Options:
    """The options of this script."""

    suite: str = csvision.option(f"what is measured: {', '.join(SUITES)}", "read")
    repeats: int = csvision.option("measurements per row of a table", 3, ge=1, le=1000)
    csv: str = csvision.option(
        "suite=read: data file, the label first, pixels from 0 to 255",
        "outputs/data/fashion_mnist/train.csv",
    )
    copies: int = csvision.option(
        "suite=read: copies of the rows in the large file", 10, ge=1, le=100
    )
    jobs: int = csvision.option("suite=sweep: number of jobs", 16, ge=1, le=1000)
    models: str = csvision.option(
        "suite=train or sweep: mlp, cnn or both, separated by a comma", "mlp,cnn"
    )
    batch_sizes: str = csvision.option("suite=train: numbers separated by a comma", "32,128")


def run_reading(options: Options) -> None:
    """Measure the reading of the file."""
    try:
        csv = csvision.resolve_path(options.csv)
    except csvision.DataError as error:
        exit_with_errors(error.messages)
    if csv.suffix != ".csv":
        exit_with_errors([f"csv={options.csv}: must be an uncompressed .csv file"])
    benchmark_reading(csv, options.repeats, options.copies)


def run_training(options: Options) -> None:
    """Measure the training of the models."""
    models, sizes = options.models.split(","), options.batch_sizes.split(",")
    errors = [
        f"models={options.models}: {each} must be one of {', '.join(EPOCHS)}"
        for each in models
        if each not in EPOCHS
    ]
    errors += [
        f"batch_sizes={options.batch_sizes}: {size} must be a positive integer"
        for size in sizes
        if not size.isdecimal() or int(size) == 0
    ]
    if errors:
        exit_with_errors(errors)
    benchmark_training(options.repeats, models, [int(size) for size in sizes])


def run_sweeps(options: Options) -> None:
    """Measure sweeps of the models."""
    models = options.models.split(",")
    if unknown := set(models) - set(EPOCHS):
        exit_with_errors([f"models={','.join(unknown)} must be one of {', '.join(EPOCHS)}"])
    benchmark_sweeps(options.repeats, models, options.jobs)


def main() -> None:
    """Run the suite that the command line names."""
    options = parse_options(Options, __doc__)
    match options.suite:
        case "read":
            run_reading(options)
        case "train":
            run_training(options)
        case "sweep":
            run_sweeps(options)
        case other:
            exit_with_errors([f"suite={other} must be one of {', '.join(SUITES)}"])


if __name__ == "__main__":
    main()

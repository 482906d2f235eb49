"""Draw the figures of README from a sweep, e.g. `csvision train -m model=mlp,cnn seed=0,1,2,3,4`.

Writes learning_curves.png and predictions.png; output_dir=docs replaces the figures of README.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

import csvision
from csvision.run.sweep_table import sweep_table, swept_keys
from evidence_options import exit_with_errors, parse_options


@dataclass
class Options:
    """The options of this script."""

    sweep: str = csvision.option("folder of a finished sweep")
    output_dir: str = csvision.option("folder of the figures", "outputs/figures")
    count: int = csvision.option("number of predictions to draw", 24, ge=1, le=1000)


def plot_learning_curves(groups: dict[str, list[pd.DataFrame]]) -> Figure:
    """Plot loss and validation accuracy by epoch: thin lines for runs, a thick one for their mean.

    `groups` are the histories of the runs of each setting. Without validation rows, only the
    training loss is plotted.
    """
    validated = any(has_values(each, "val/acc") for each in groups.values())
    figure = Figure(figsize=(9 if validated else 4.5, 3.6), layout="constrained")
    all_axes = figure.subplots(1, 2 if validated else 1, squeeze=False)[0]
    for index, (setting, histories) in enumerate(groups.items()):
        color = f"C{index}"
        plot_runs(all_axes[0], histories, "train/loss", color, f"{setting}, training")
        if has_values(histories, "val/acc"):
            plot_runs(all_axes[0], histories, "val/loss", color, f"{setting}, validation", "--")
            plot_runs(all_axes[1], histories, "val/acc", color, setting)
    for axes, title in zip(all_axes, ("mean loss", "validation accuracy"), strict=False):
        axes.set_xlabel("epoch")
        axes.set_title(title)
        axes.grid(alpha=0.3)
        axes.legend(frameon=False)
    return figure


def has_values(histories: Sequence[pd.DataFrame], column: str) -> bool:
    """Return whether every history has values in a column."""
    return all(column in history and history[column].notna().any() for history in histories)


def plot_runs(
    axes: Axes,
    histories: Sequence[pd.DataFrame],
    column: str,
    color: str,
    label: str,
    style: str = "-",
) -> None:
    """Plot one column of the runs of one setting, and its mean."""
    for history in histories:
        axes.plot(history["epoch"], history[column], style, color=color, alpha=0.25, linewidth=1)
    mean = pd.concat(histories).groupby("epoch")[column].mean()
    axes.plot(mean.index, mean.to_numpy(), style, color=color, linewidth=2, label=label)


def read_histories(sweep: Path, jobs: pd.DataFrame) -> dict[str, list[pd.DataFrame]]:
    """Return the histories of the finished jobs, grouped by their settings other than the seed."""
    keys = [key for key in swept_keys(jobs) if key != "seed"]
    groups: dict[str, list[pd.DataFrame]] = {}
    for _, job in jobs.iterrows():
        setting = " ".join(f"{key}={job[key]}" for key in keys) or "all runs"
        history = pd.read_csv(job_directory(sweep, job["job"]) / "history.csv")
        groups.setdefault(setting, []).append(history)
    return groups


def job_directory(sweep: Path, number: int) -> Path:
    """Return the directory of a job."""
    (directory,) = sweep.glob(f"{number}_*")
    return directory


def choose_run(sweep: Path, jobs: pd.DataFrame) -> Path:
    """Return the directory of the first CNN, or of the first job if there is no CNN."""
    directories = [job_directory(sweep, number) for number in jobs["job"]]
    cnns = [directory for directory in directories if "_cnn_" in directory.name]
    return (cnns or directories)[0]


def main() -> None:
    """Draw both figures and print their paths."""
    options = parse_options(Options, __doc__)
    sweep, output_dir = Path(options.sweep), Path(options.output_dir)
    jobs = sweep_table(sweep)
    jobs = jobs[jobs["state"] == "finished"] if len(jobs) else jobs
    if jobs.empty:
        exit_with_errors([f"sweep={sweep}: no finished jobs in this folder; give a sweep's folder"])
    # Not at the top: importing torch takes seconds, and --help does not need it.
    from csvision.plots import plot_predictions

    output_dir.mkdir(parents=True, exist_ok=True)
    curves = plot_learning_curves(read_histories(sweep, jobs))
    result = csvision.evaluate(choose_run(sweep, jobs), "quiet=true")
    predictions = plot_predictions(result, options.count)
    for name, figure, dpi in (
        ("learning_curves.png", curves, 110),
        ("predictions.png", predictions, 60),
    ):
        figure.savefig(output_dir / name, dpi=dpi)
        print(output_dir / name)


if __name__ == "__main__":
    main()

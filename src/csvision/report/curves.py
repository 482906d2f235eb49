"""Pictures of a sweep."""

from pathlib import Path

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from csvision.run.sweep import read_jobs, settings_of


def learning_curves(sweep: Path) -> Figure:
    """Losses and validation accuracy by epoch: a thin line a run, a thick one for their mean."""
    figure = Figure(figsize=(9, 3.6), layout="constrained")
    losses, accuracies = figure.subplots(1, 2)
    for index, (setting, histories) in enumerate(histories_by_setting(sweep).items()):
        color = f"C{index}"
        draw(losses, histories, "train/loss", color, f"{setting}, training")
        draw(losses, histories, "val/loss", color, f"{setting}, validation", "--")
        draw(accuracies, histories, "val/acc", color, setting)
    for axes, title in ((losses, "mean loss"), (accuracies, "accuracy on validation rows")):
        axes.set_xlabel("epoch")
        axes.set_title(title)
        axes.grid(alpha=0.3)
        axes.legend(frameon=False)
    return figure


def histories_by_setting(sweep: Path) -> dict[str, list[pd.DataFrame]]:
    """The history of every finished job under what sets it apart from jobs of other seeds."""
    jobs = read_jobs(sweep)
    names = [name for name in settings_of(jobs) if name != "seed"]
    groups: dict[str, list[pd.DataFrame]] = {}
    for _, job in jobs[jobs["state"] == "finished"].iterrows():
        setting = " ".join(f"{name}={job[name]}" for name in names) or "all runs"
        (folder,) = sweep.glob(f"{job['job']}_*")
        groups.setdefault(setting, []).append(pd.read_csv(folder / "history.csv"))
    return groups


def draw(
    axes: Axes, histories: list[pd.DataFrame], column: str, color: str, label: str, style: str = "-"
) -> None:
    """One quantity of the runs of one setting."""
    for history in histories:
        axes.plot(history["epoch"], history[column], style, color=color, alpha=0.25, linewidth=1)
    mean = pd.concat(histories).groupby("epoch")[column].mean()
    axes.plot(mean.index, mean.to_numpy(), style, color=color, linewidth=2, label=label)

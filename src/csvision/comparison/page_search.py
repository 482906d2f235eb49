"""What the page of a search shows beyond that of a sweep: the report of the search itself.

The page of a sweep needs no Optuna, which functions import.
"""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from csvision.comparison.page_charts import curve_svg
from csvision.page.charts import Curves, Series
from csvision.run.sweep_folder import is_search
from csvision.search.installed import check_optuna

if TYPE_CHECKING:
    from csvision.search.definition import SearchDefinition
    from csvision.search.report import SearchReport

STATES = ("finished", "pruned", "failed")
"""The states that are shown even if no trial has them."""


@dataclass(frozen=True)
class FoundSearch:
    """The report of a search and its definition."""

    report: "SearchReport"
    definition: "SearchDefinition"

    @property
    def unfinished(self) -> bool:
        """Whether the search has fewer trials than asked for, or some that have not ended."""
        ended = [t for t in self.report.trials if t.state not in ("running", "interrupted")]
        return len(ended) < self.definition.settings.n_trials

    @property
    def command(self) -> str | None:
        """The command that trains the best trial again; None without a finished trial."""
        from csvision.search.table import train_command

        if self.report.best is None:
            return None
        return train_command(self.definition, self.report.trials[self.report.best])


def read_search(folder: Path) -> FoundSearch | None:
    """Return what a search has found; None for the folder of a sweep.

    Raises UserError if Optuna is not installed, no trial has started, or the folder is damaged.
    """
    if not is_search(folder):
        return None
    check_optuna()
    from csvision.search.definition import read_definition
    from csvision.search.report import search_report

    return FoundSearch(search_report(folder), read_definition(folder))


def search_section(search: FoundSearch, folder: Path) -> dict[str, object]:
    """Return what the template shows of a search on a page in `folder`."""
    report = search.report
    states = [trial.state for trial in report.trials]
    shown = dict.fromkeys([*STATES, *states])
    return {
        "metric": report.metric,
        "goal": report.direction,
        "total": search.definition.settings.n_trials,
        "states": [(state, states.count(state)) for state in shown],
        "best": best_trial(search, folder),
        "course": course_svg(report),
        "importance": report.importance,
    }


def best_trial(search: FoundSearch, folder: Path) -> dict[str, object] | None:
    """Return the best trial: number, value, the path of its folder and its command, if any."""
    report = search.report
    if report.best is None:
        return None
    trial = report.trials[report.best]
    directory = report.directory / (trial.directory or "")
    return {
        "number": trial.number,
        "value": trial.value,
        "href": quote(os.path.relpath(directory, folder)) + "/",
        "command": search.command,
    }


def course_svg(report: "SearchReport") -> str | None:
    """Return the curve of the best value over trials as SVG; None without a finished trial."""
    points = [(float(n), y) for n, y in enumerate(report.best_values) if y is not None]
    if not points:
        return None
    x, y = [n for n, _ in points], [value for _, value in points]
    alt = f"The best {report.metric} after each trial: {y[0]:.4f} at first, {y[-1]:.4f} at last"
    series = Series(f"best {report.metric} so far", x, y)
    return curve_svg(Curves("best value", "trial", report.metric, [series], alt), "course")

"""What a search has found, as plain data for tables and pages."""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import optuna
from optuna.importance import FanovaImportanceEvaluator, get_param_importances
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend
from optuna.trial import FrozenTrial, TrialState

from csvision.errors import RunError
from csvision.run.manifest import read_json_object
from csvision.search.definition import SearchDefinition, read_definition
from csvision.search.space import format_value
from csvision.search.storage import JOURNAL, report_damage
from csvision.search.study import DIRECTORY, ERROR, STUDY_NAME

STATES = {
    TrialState.COMPLETE: "finished",
    TrialState.PRUNED: "pruned",
    TrialState.FAIL: "failed",
    TrialState.RUNNING: "running",
}
"""The state of a trial in the words of run.json."""


@dataclass(frozen=True)
class TrialRecord:
    """One trial: `params` are values as on the command line, `history` has a value per epoch.

    `value` is that of a finished trial; `directory` is the name of its run directory, if any.
    """

    number: int
    state: str
    value: float | None
    params: dict[str, str]
    history: dict[int, float]
    directory: str | None
    error: str | None
    started: datetime | None
    ended: datetime | None


@dataclass(frozen=True)
class SearchReport:
    """The trials of a search by number, the best one, and how important each key is.

    `best` is the number of the finished trial with the best metric, None without one.
    `best_values` has the best metric after each trial, None before the first finished one.
    `importance` adds up to 1; it is that of fANOVA over the finished trials (Hutter et al. 2014),
    empty if there are too few.
    """

    directory: Path
    metric: str
    direction: str
    space: dict[str, str]
    trials: list[TrialRecord]
    best: int | None
    best_values: list[float | None]
    importance: dict[str, float]


def search_report(directory: str | Path) -> SearchReport:
    """Return what a search, finished or running, has found; reads its folder only.

    Raises RunError if the folder is not that of a search, or is damaged.
    """
    folder = Path(directory)
    definition = read_definition(folder)
    study = load_study(folder)
    with report_damage(folder):
        trials = [record_trial(folder, definition, each) for each in study.get_trials()]
        importance = key_importance(study)
    return SearchReport(
        folder,
        definition.monitor,
        definition.direction,
        {key: str(distribution) for key, distribution in definition.space.items()},
        trials,
        best_number(trials, definition.direction),
        [best_value(trials[:count], definition.direction) for count in range(1, len(trials) + 1)],
        importance,
    )


def load_study(folder: Path) -> optuna.Study:
    """Return the study of a search to read; raises RunError if no trial has started."""
    journal = folder / JOURNAL
    if not journal.exists():
        raise RunError(f"{folder}: no trial of this search has started")
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    with report_damage(folder):
        return optuna.load_study(
            study_name=STUDY_NAME, storage=JournalStorage(JournalFileBackend(str(journal)))
        )


def record_trial(folder: Path, definition: SearchDefinition, trial: FrozenTrial) -> TrialRecord:
    """Return a trial as plain data."""
    directory = trial.user_attrs.get(DIRECTORY)
    return TrialRecord(
        trial.number,
        trial_state(folder, trial),
        trial.value if trial.state is TrialState.COMPLETE else None,
        {
            key: format_value(distribution, trial.params[key])
            for key, distribution in definition.space.items()
            if key in trial.params
        },
        trial.intermediate_values,
        directory,
        trial.user_attrs.get(ERROR),
        trial.datetime_start,
        trial.datetime_complete,
    )


def trial_state(folder: Path, trial: FrozenTrial) -> str:
    """Return the state of a trial; run.json tells interrupted and diverged ones from others."""
    state = STATES[trial.state]
    if state not in ("running", "failed") or DIRECTORY not in trial.user_attrs:
        return state
    try:
        recorded: Any = read_json_object(folder / trial.user_attrs[DIRECTORY] / "run.json")["state"]
    except (OSError, RunError, KeyError):
        return state
    return recorded if recorded in ("interrupted", "diverged") else state


def best_number(trials: Sequence[TrialRecord], direction: str) -> int | None:
    """Return the number of the best finished trial, the first one of equal ones."""
    values = {trial.number: trial.value for trial in trials if trial.value is not None}
    if not values:
        return None
    choose = max if direction == "maximize" else min
    return choose(values, key=lambda number: values[number])


def best_value(trials: Sequence[TrialRecord], direction: str) -> float | None:
    """Return the best metric of finished trials."""
    best = best_number(trials, direction)
    return None if best is None else trials[best].value


def key_importance(study: optuna.Study) -> dict[str, float]:
    """Return the importance of each key, the largest first; empty with too few trials."""
    finished = study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
    if len(finished) < 2 or len({trial.value for trial in finished}) < 2:
        return {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        importance = get_param_importances(study, evaluator=FanovaImportanceEvaluator(seed=0))
    return {key: float(value) for key, value in importance.items()}

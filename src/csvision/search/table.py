"""The table of a search: sweep.csv with a row per trial, and the best trials on the console."""

import pandas as pd

from csvision.command_hints import command_line
from csvision.config.quoting import unquote_path
from csvision.errors import RunError
from csvision.files import replace_file
from csvision.run.sweep_table import job_row
from csvision.search.definition import SearchDefinition
from csvision.search.report import SearchReport, TrialRecord

MAX_ROWS = 20
"""Trials in the table on the console."""


def write_table(report: SearchReport, definition: SearchDefinition) -> None:
    """Write sweep.csv; raises RunError if it cannot be written."""
    rows = [trial_row(report, definition, trial) for trial in report.trials]
    file = report.directory / "sweep.csv"
    try:
        with replace_file(file) as output:
            output.write(pd.DataFrame(rows).to_csv(index=False).encode())
    except OSError as error:
        raise RunError(f"{file} cannot be written: {error.strerror}; free some space") from error


def trial_row(
    report: SearchReport, definition: SearchDefinition, trial: TrialRecord
) -> dict[str, object]:
    """Return the row of a trial: as that of a job of a sweep, with epochs and error."""
    overrides = [*definition.overrides, *(f"{key}={text}" for key, text in trial.params.items())]
    directory = report.directory / (trial.directory or f"{trial.number}")
    row = job_row(trial.number, directory, overrides)
    row |= {"state": trial.state, "trained_epochs": len(trial.history), "error": trial.error}
    return {"trial": row.pop("job"), **row}


def format_report(report: SearchReport, definition: SearchDefinition) -> str:
    """Format the best trials, how many ended in each state, and the command of the best one.

    Test metrics are left out: they choose nothing.
    """
    sign = -1 if report.direction == "maximize" else 1
    ranked = sorted(
        report.trials,
        key=lambda trial: (trial.value is None, sign * (trial.value or 0), trial.number),
    )
    rows = [
        {
            "trial": trial.number,
            **trial.params,
            "epochs": len(trial.history),
            report.metric: "" if trial.value is None else f"{trial.value:.4f}",
            "state": trial.state,
        }
        for trial in ranked[:MAX_ROWS]
    ]
    lines = [pd.DataFrame(rows).to_string(index=False), "", count_states(report.trials)]
    if report.importance:
        parts = [f"{key} {value:.2f}" for key, value in report.importance.items()]
        lines.append(f"importance for {report.metric}: {', '.join(parts)}")
    if report.best is not None:
        best = report.trials[report.best]
        lines += [
            f"best: trial {best.number}, {report.metric} {best.value:.4f}; to train it again:",
            train_command(definition, best),
        ]
    return "\n".join(lines)


def count_states(trials: list[TrialRecord]) -> str:
    """Return how many trials there are, and how many in each state."""
    states = [trial.state for trial in trials]
    counts = ", ".join(f"{states.count(state)} {state}" for state in dict.fromkeys(states))
    return f"{len(trials)} trials: {counts}"


def train_command(definition: SearchDefinition, trial: TrialRecord) -> str:
    """Return the command that trains a trial again, from the folder in which it was started."""
    searched = (f"{key}={text}" for key, text in trial.params.items())
    words = [*definition.search_path(), *map(unquote_path, definition.overrides), *searched]
    options = [] if definition.config_name == "train" else ["--config-name", definition.config_name]
    return command_line("train", *words, *options)

"""What a reader must know to interpret the figures of a comparison."""

from collections.abc import Sequence

from csvision.comparison.metric import is_test
from csvision.comparison.record import RunRecord
from csvision.comparison.settings import Setting
from csvision.wording import pluralize

MAX_NAMES = 5
"""Settings that a note names."""


def unfinished_notes(records: Sequence[RunRecord], repeated: int, over: Sequence[str]) -> list[str]:
    """Return notes on the runs that are left out, and on folds."""
    found = []
    unfinished = sum(not record.finished for record in records)
    if unfinished:
        found.append(f"{unfinished} of {len(records)} runs are not finished and left out")
    if repeated:
        runs = pluralize(repeated, "earlier run")
        found.append(f"{runs} with the setting and seed of a later one left out")
    if "data.fold" in over:
        found.append(
            "folds share training rows, so intervals over folds are too narrow (Bengio and "
            "Grandvalet 2004)"
        )
    return found


def choice_notes(by: Sequence[str], counts: Sequence[int], metric: str) -> list[str]:
    """Return a note on how many settings each compared one was chosen from, if from several."""
    low, high = min(counts, default=1), max(counts, default=1)
    if high == 1:
        return []
    number = str(high) if low == high else f"{low} to {high}"
    return [f"for each {' and '.join(by)}, the best of {number} settings was chosen by {metric}"]


def tie_notes(best: Sequence[Setting], metric: str) -> list[str]:
    """Return a note on the settings with the best mean, and which was chosen, if they are several.

    They are in the order of their runs.
    """
    if len(best) < 2:
        return []
    return [
        f"{len(best)} settings have the same best mean of {metric}, so {metric} does not say which "
        f"is best: {list_labels(best)}; the first one was chosen, in the order of the runs"
    ]


def missing_notes(settings: Sequence[Setting], metric: str) -> list[str]:
    """Return a note on the settings with runs that do not have the metric, and why."""
    partly = [each for each in settings if len(each.metric(metric)) < len(each.runs)]
    without = [each for each in partly if not each.metric(metric)]
    some = [each for each in partly if each.metric(metric)]
    found = []
    if without:
        choice = "" if is_test(metric) else " and cannot be chosen"
        found.append(f"without {metric}{choice}: {list_labels(without)}{reason(without, metric)}")
    if some:
        found.append(
            f"only the runs that have {metric} count: {list_labels(some)}{reason(some, metric)}"
        )
    return found


def list_labels(settings: Sequence[Setting]) -> str:
    """Return the labels of settings, of many the first ones."""
    return list_names([each.label for each in settings])


def list_names(names: Sequence[str]) -> str:
    """Return names as text, of many the first ones."""
    text = ", ".join(names[:MAX_NAMES])
    more = len(names) - MAX_NAMES
    return text if more <= 0 else f"{text} and {more} more"


def reason(settings: Sequence[Setting], metric: str) -> str:
    """Return why baselines have no loss; "" for other settings and metrics."""
    runs = [run for each in settings for run in each.runs.values() if metric not in run.metrics]
    if not metric.endswith("/loss") or not all(run.is_baseline for run in runs):
        return ""
    return (
        "; a baseline has no loss if its estimator has no probabilities, or if a row has "
        "probability 0 for its class"
    )

"""Say in sentences what was found; the page begins with them."""

from dataclasses import dataclass
from math import isnan

import numpy as np

from csvision.inspection.applicable import Missing
from csvision.inspection.filters import Filters
from csvision.inspection.mistakes import Prediction
from csvision.inspection.proportions import Estimate
from csvision.inspection.result import Inspection
from csvision.inspection.shifts import EXAMPLE_DISTANCE, Shifts


@dataclass(frozen=True)
class Answer:
    """A sentence, and the id of the section that shows more."""

    section: str
    text: str


def percent(value: float, digits: int = 1) -> str:
    """Format a fraction as a percentage; a dash for NaN."""
    return "\N{EN DASH}" if isnan(value) else f"{100 * value:.{digits}f} %"


def percent_interval(estimate: Estimate) -> str:
    """Format a fraction with its interval in percent."""
    if isnan(estimate.low):
        return percent(estimate.value)
    return f"{percent(estimate.value)} [{100 * estimate.low:.1f}, {100 * estimate.high:.1f}]"


def points_interval(estimate: Estimate) -> str:
    """Format a difference of two fractions in percentage points, without its sign."""
    sign = -1 if estimate.value < 0 else 1
    value = f"{100 * sign * estimate.value:.1f} points"
    if isnan(estimate.low):
        return value
    low, high = sorted((100 * sign * estimate.low, 100 * sign * estimate.high))
    return f"{value} [{low:.1f}, {high:.1f}]"


def count(number: int, noun: str) -> str:
    """Format a number with its noun, in the plural except for 1."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def describe_answers(inspection: Inspection) -> list[Answer]:
    """Return one sentence on each analysis that applies."""
    answers = [
        Answer("classes", describe_accuracy(inspection)),
        Answer("confusions", describe_confusions(inspection)),
        Answer("confidence", describe_calibration(inspection)),
        Answer("labels", describe_labels(inspection)),
    ]
    if not isinstance(inspection.shifts, Missing):
        answers.append(Answer("shifts", describe_shifts(inspection.shifts, inspection)))
    if not isinstance(inspection.filters, Missing):
        answers.append(Answer("filters", describe_filters(inspection.filters)))
    return answers


def describe_top_classes(inspection: Inspection, row: Prediction, limit: int = 5) -> str:
    """List the most probable classes of a test row."""
    probabilities = inspection.evaluation.probabilities[row.position]
    classes = inspection.evaluation.subset.table.classes
    order = np.argsort(-probabilities, kind="stable")[:limit]
    return ", ".join(f"{classes[index]} {percent(float(probabilities[index]))}" for index in order)


def describe_accuracy(inspection: Inspection) -> str:
    """Say how accurate the network is, and for which class least."""
    accuracy = inspection.calibration.accuracy
    rows = len(inspection.evaluation.subset)
    scored = [each for each in inspection.class_scores if each.rows]
    worst = min(scored, key=lambda each: each.recall.value)
    return (
        f"{percent_interval(accuracy)} of {count(rows, 'test row')} are predicted correctly; the "
        f"class with the lowest recall is {worst.name}: {percent_interval(worst.recall)}."
    )


def describe_confusions(inspection: Inspection) -> str:
    """Say which two classes are confused most."""
    if not inspection.confusions:
        return "No two classes are confused: all test rows are predicted correctly."
    pair = inspection.confusions[0]
    return (
        f"The most confused classes are {pair.first} and {pair.second}: {pair.first_as_second} "
        f"{pair.first} predicted as {pair.second}, {pair.second_as_first} the other way."
    )


def describe_calibration(inspection: Inspection) -> str:
    """Say whether the network is overconfident."""
    found = inspection.calibration
    if found.gap.low <= 0 <= found.gap.high or isnan(found.gap.low):
        return (
            f"The network is {found.verdict} as far as the test rows can tell: its mean confidence "
            f"is {percent(found.confidence)}, its accuracy {percent(found.accuracy.value)}."
        )
    side = "above" if found.gap.value > 0 else "below"
    return (
        f"The network is {found.verdict}: its mean confidence is {percent(found.confidence)}, "
        f"{points_interval(found.gap)} {side} its accuracy."
    )


def describe_labels(inspection: Inspection) -> str:
    """Say how many labels are suspected, and which one most."""
    suspected = inspection.label_errors.suspected
    if not suspected:
        return "No test row is suspected to have a wrong label."
    first = suspected[0]
    return (
        f"The labels of {count(len(suspected), 'test row')} may be wrong; most suspected is row "
        f"{first.prediction.row}, labeled {first.prediction.label}: the network sees "
        f"{first.suggestion}."
    )


def describe_shifts(shifts: Shifts, inspection: Inspection) -> str:
    """Say how many predictions a shift changes."""
    distance = min(EXAMPLE_DISTANCE, shifts.distances[-1])
    index = shifts.distances.index(distance)
    return (
        f"A shift by {count(distance, 'pixel')} changes {percent_interval(shifts.changed[index])} "
        f"of the predictions; the accuracy is then {percent_interval(shifts.accuracy[index])}, "
        f"without a shift {percent(inspection.calibration.accuracy.value)}."
    )


def describe_filters(filters: Filters) -> str:
    """Say what the first layer is, and how far training has moved it."""
    noun = "filter" if filters.trained.shape[2:] and filters.kind == "Conv2d" else "unit"
    size = "x".join(map(str, filters.trained.shape[1:]))
    text = f"The first layer, {filters.layer}, has {count(filters.total, noun)} of {size} weights"
    if filters.changes is None:
        return f"{text}."
    moved = float(np.median(filters.changes))
    return f"{text}; training has changed half of them by over {percent(moved, 0)} of their norm."

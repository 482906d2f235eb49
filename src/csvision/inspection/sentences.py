"""Say in sentences what was found; the page begins with them."""

from dataclasses import dataclass

import numpy as np

from csvision.arithmetic.layers import NetworkExplanation
from csvision.inspection.applicable import Missing
from csvision.inspection.filters import Filters
from csvision.inspection.format import (
    gap_interval,
    percent,
    percent_interval,
    points_interval,
    probability,
)
from csvision.inspection.mistakes import Prediction
from csvision.inspection.proportions import Estimate
from csvision.inspection.result import Inspection
from csvision.inspection.shifts import EXAMPLE_DISTANCE, Shifts
from csvision.wording import pluralize


@dataclass(frozen=True)
class Answer:
    """A sentence, and the id of the section that shows more."""

    section: str
    text: str


def describe_answers(inspection: Inspection) -> list[Answer]:
    """Return one sentence on each analysis that applies."""
    answers = [
        Answer("classes", describe_accuracy(inspection)),
        Answer("confusions", describe_confusions(inspection)),
        Answer("confidence", describe_calibration(inspection)),
        Answer("mistakes", describe_mistakes(inspection)),
        Answer("labels", describe_labels(inspection)),
    ]
    if not isinstance(inspection.shifts, Missing):
        answers.append(Answer("shifts", describe_shifts(inspection.shifts)))
    if not isinstance(inspection.layers, Missing):
        answers.append(Answer("layers", describe_layers(inspection.layers)))
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
    text = f"{percent_interval(accuracy)} of {pluralize(rows, 'test row')} are predicted correctly"
    lowest = min(each.recall.value for each in scored)
    worst = [each for each in scored if each.recall.value == lowest]
    if len(worst) == len(scored):
        return f"{text}; every class has a recall of {percent(lowest)}."
    if len(worst) == 1:
        found = f"class with the lowest recall is {worst[0].name}: "
        return f"{text}; the {found}{percent_interval(worst[0].recall)}."
    names = f"{', '.join(each.name for each in worst[:-1])} and {worst[-1].name}"
    return f"{text}; the classes with the lowest recall are {names}: {percent(lowest)}."


def describe_confusions(inspection: Inspection) -> str:
    """Say which two classes are confused most."""
    if not inspection.confusions:
        return "No two classes are confused: all test rows are predicted correctly."
    pair = inspection.confusions[0]
    return (
        f"The most confused classes are {pair.first} and {pair.second}: {pair.first_as_second:,} "
        f"{pair.first} predicted as {pair.second}, {pair.second_as_first:,} the other way."
    )


def describe_calibration(inspection: Inspection) -> str:
    """Say whether the network is overconfident."""
    found = inspection.calibration
    if not found.is_biased:
        return (
            f"The network is {found.verdict} as far as the test rows can tell: its mean confidence "
            f"is {percent(found.confidence)}, its accuracy {percent_interval(found.accuracy)}."
        )
    return (
        f"The network is {found.verdict}: its mean confidence is {percent(found.confidence)}, its "
        f"accuracy {percent(found.accuracy.value)}; the difference is {gap_interval(found)}."
    )


def describe_mistakes(inspection: Inspection) -> str:
    """Name the mistake with the highest confidence."""
    if not inspection.mistakes:
        return "No test row is predicted wrongly."
    first, largest = inspection.mistakes[0], inspection.largest_loss
    text = (
        f"The most confident mistake is row {first.row}: labeled {first.label}, predicted "
        f"{first.prediction} with probability {probability(first.p_prediction)}"
    )
    if largest is None or largest.row == first.row:
        return f"{text}; it has the largest loss, too."
    return f"{text}; row {largest.row} has the largest loss, {largest.loss:.2f}."


def describe_labels(inspection: Inspection) -> str:
    """Say how many labels are suspected, and which one most."""
    suspected = inspection.label_errors.suspected
    if not suspected:
        return "No test row is suspected to have a wrong label."
    first = suspected[0]
    return (
        f"The labels of {pluralize(len(suspected), 'test row')} may be wrong; most suspected is "
        f"row {first.prediction.row}, labeled {first.prediction.label}: the network sees "
        f"{first.suggestion}."
    )


def describe_shifts(shifts: Shifts) -> str:
    """Say how many predictions a shift by one pixel and by two pixels changes."""
    parts = [
        f"a shift by {pluralize(distance, 'pixel')} changes "
        f"{percent_interval(shifts.changed[index])} of the "
        f"predictions and {describe_fall(shifts.fall[index])}"
        for index, distance in enumerate(shifts.distances[:EXAMPLE_DISTANCE])
    ]
    text = "; ".join(parts)
    return f"{text[0].upper()}{text[1:]}."


def describe_fall(fall: Estimate) -> str:
    """Say how the accuracy of the same rows differs after a shift."""
    verb = "raises" if fall.value < 0 else "lowers"
    chance = ", within chance" if fall.low <= 0 <= fall.high else ""
    return f"{verb} the accuracy by {points_interval(fall)}{chance}"


def describe_layers(layers: NetworkExplanation) -> str:
    """Say how large the network and its first layer with weights are."""
    text = (
        f"The network has {layers.parameters:,} parameters and needs {layers.multiply_adds:,} "
        "multiply-adds for one image"
    )
    first = next((layer for layer in layers.layers if layer.multiply_adds), None)
    if first is None:
        return f"{text}."
    return (
        f"{text}; its first layer with weights, {first.name}, has {first.parameters:,} parameters "
        f"and needs {first.multiply_adds:,} multiply-adds."
    )


def describe_filters(filters: Filters) -> str:
    """Say what the first layer is, and how far training has moved it."""
    noun = "filter" if filters.trained.shape[2:] and filters.kind == "Conv2d" else "unit"
    size = "x".join(map(str, filters.trained.shape[1:]))
    text = (
        f"The first layer, {filters.layer}, has {pluralize(filters.total, noun)} of {size} weights"
    )
    if filters.changes is None:
        return f"{text}."
    return f"{text}; {describe_changes(filters.changes, noun)}."


def describe_changes(changes: list[float], noun: str) -> str:
    """Say how far training has moved the weights of the filters or units of a layer."""
    return (
        f"training has changed each {noun} by {percent(min(changes), 0)} to "
        f"{percent(max(changes), 0)} of the norm of its initial weights "
        f"(median {percent(float(np.median(changes)), 0)})"
    )

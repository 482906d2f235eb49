"""Sentences about what was found, in cases that are not those of every run."""

from dataclasses import replace

import pytest

from csvision.inspection.class_scores import ClassScores
from csvision.inspection.label_errors import LabelErrors
from csvision.inspection.proportions import Estimate, wilson
from csvision.inspection.result import Inspection
from csvision.inspection.sentences import (
    describe_accuracy,
    describe_answers,
    describe_fall,
    describe_mistakes,
    format_fall,
    probability,
)


def score(name: str, correct: int, rows: int = 20) -> ClassScores:
    recall = wilson(correct, rows)
    return ClassScores(name, rows, rows, correct, recall, recall, recall.value)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("scores", "end"),
    [
        ([score("a", 20), score("b", 20)], "every class has a recall of 100.0 %."),
        ([score("a", 20), score("b", 10)], "lowest recall is b: 50.0 % [29.9, 70.1]."),
        (
            [score("a", 10), score("b", 20), score("c", 10)],
            "the classes with the lowest recall are a and c: 50.0 %.",
        ),
        # A class without rows has no recall.
        ([score("a", 19), score("b", 0, rows=0)], "every class has a recall of 95.0 %."),
    ],
)
def test_classes_of_equal_recall_are_not_ranked(
    small_inspection: Inspection, scores: list[ClassScores], end: str
) -> None:
    assert describe_accuracy(replace(small_inspection, class_scores=scores)).endswith(end)


def test_first_mistake_is_named_as_in_its_section(small_inspection: Inspection) -> None:
    first = small_inspection.mistakes[0]
    assert first.p_prediction == max(each.p_prediction for each in small_inspection.mistakes)
    answers = {answer.section: answer.text for answer in describe_answers(small_inspection)}
    assert f"row {first.row}: labeled {first.label}" in answers["mistakes"]
    none = replace(small_inspection, mistakes=[], label_errors=LabelErrors([], []))
    assert describe_mistakes(none) == "No test row is predicted wrongly."


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.5, "0.500"),
        (0.99945, "0.99945"),
        (0.99936, "0.99936"),
        (0.9999999, "1.000000"),
        (1.0, "1.000"),
        (0.0, "0.000"),
        (5.9e-9, "5.9e-09"),
    ],
)
def test_probabilities_near_zero_and_one_differ(value: float, text: str) -> None:
    assert probability(value) == text


def test_fall_says_whether_it_is_within_chance() -> None:
    assert describe_fall(Estimate(0.02, 0.01, 0.03)) == (
        "lowers the accuracy by 2.0 points [1.0, 3.0]"
    )
    assert describe_fall(Estimate(-0.02, -0.05, 0.01)) == (
        "raises the accuracy by 2.0 points [-1.0, 5.0], within chance"
    )
    assert format_fall(Estimate(-0.02, -0.05, 0.01)) == "\u22122.0 points [\u22125.0, 1.0]"

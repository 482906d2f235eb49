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
    describe_changes,
    describe_fall,
    describe_mistakes,
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


@pytest.mark.slow
def test_mistake_with_the_largest_loss_is_named(small_inspection: Inspection) -> None:
    first = small_inspection.mistakes[0]
    text = describe_mistakes(replace(small_inspection, largest_loss=first))
    assert text.endswith("it has the largest loss, too.")
    other = replace(first, row=first.row + 1, loss=12.345)
    text = describe_mistakes(replace(small_inspection, largest_loss=other))
    assert text.endswith(f"row {other.row} has the largest loss, 12.35.")


def test_change_of_the_weights_says_of_what() -> None:
    assert describe_changes([0.01, 0.3, 0.8], "filter") == (
        "training has changed each filter by 1 % to 80 % of the norm of its initial weights "
        "(median 30 %)"
    )


def test_fall_says_whether_it_is_within_chance() -> None:
    assert describe_fall(Estimate(0.02, 0.01, 0.03)) == (
        "lowers the accuracy by 2.0 points [1.0, 3.0]"
    )
    assert describe_fall(Estimate(-0.02, -0.05, 0.01)) == (
        "raises the accuracy by 2.0 points [-1.0, 5.0], within chance"
    )

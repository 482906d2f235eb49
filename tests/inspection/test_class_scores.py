"""Precision and recall of each class, and confused pairs."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import confusion_matrix, precision_recall_fscore_support

from csvision.inspection.class_scores import find_confusions, score_classes
from tests.inspection.examples import eval_result

CLASSES = ["a", "b", "c"]


@settings(max_examples=40)
@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2)), min_size=1, max_size=40))
def test_scores_are_those_of_sklearn(pairs: list[tuple[int, int]]) -> None:
    labels, predictions = zip(*pairs, strict=True)
    counts = confusion_matrix(labels, predictions, labels=range(3))
    expected = precision_recall_fscore_support(
        labels, predictions, labels=range(3), zero_division=np.nan
    )
    found = score_classes(counts, CLASSES)
    scores = [(each.precision.value, each.recall.value, each.f1, each.rows) for each in found]
    np.testing.assert_allclose(np.array(scores).T, np.array(expected))


def test_class_without_rows_or_predictions_has_no_scores() -> None:
    found = score_classes(np.array([[2, 0, 0], [0, 1, 0], [0, 0, 0]]), CLASSES)[2]
    assert (found.name, found.rows, found.predicted) == ("c", 0, 0)
    assert math.isnan(found.precision.value)
    assert math.isnan(found.recall.value)
    assert math.isnan(found.f1)


def test_pairs_are_ordered_by_errors_in_both_directions() -> None:
    # Labels 0 0 0 1 1 2; the two errors between 0 and 1, then the one between 0 and 2.
    probabilities = np.eye(3)[[0, 1, 2, 0, 1, 2]] * 0.6 + 0.1
    probabilities[1] = [0.05, 0.9, 0.05]
    first, second = find_confusions(eval_result(probabilities, [0, 0, 0, 1, 1, 2]))
    assert (first.first, first.second) == ("class 0", "class 1")
    assert (first.first_as_second, first.second_as_first) == (1, 1)
    assert first.rate.value == pytest.approx(2 / 5)
    assert first.examples == [1, 3]
    assert (second.second, second.first_as_second, second.second_as_first) == ("class 2", 1, 0)


def test_most_confident_examples_come_first() -> None:
    confidence = np.array([0.6, 0.9, 0.7, 0.8, 0.95])
    probabilities = np.stack([1 - confidence, confidence], axis=1)
    (pair,) = find_confusions(eval_result(probabilities, [0] * 5))
    assert pair.examples == [4, 1, 3, 2]


def test_no_errors_give_no_pairs() -> None:
    assert find_confusions(eval_result([[0.9, 0.1], [0.2, 0.8]], [0, 1])) == []

"""Suspected label errors."""

import numpy as np
import pytest
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split

from csvision.inspection.label_errors import class_thresholds, find_label_errors
from tests.inspection.examples import eval_result

PROBABILITIES = [[0.9, 0.1], [0.7, 0.3], [0.2, 0.8], [0.1, 0.9], [0.4, 0.6]]
LABELS = [0, 0, 0, 1, 1]


def test_thresholds_are_means_over_the_rows_with_the_label() -> None:
    found = class_thresholds(np.array(PROBABILITIES), np.array(LABELS))
    assert found == pytest.approx([(0.9 + 0.7 + 0.2) / 3, (0.9 + 0.6) / 2])


def test_only_a_confident_contradiction_is_suspected() -> None:
    """Row 2 reaches the threshold of class 1, 0.75; row 4 reaches that of no class."""
    (found,) = find_label_errors(eval_result(PROBABILITIES, LABELS)).suspected
    assert found.prediction.position == 2
    assert (found.prediction.label, found.suggestion) == ("class 0", "class 1")
    assert found.margin == pytest.approx(0.6)


def test_class_without_rows_is_never_suggested() -> None:
    found = find_label_errors(eval_result([[0.1, 0.9], [0.6, 0.4]], [0, 0]))
    assert found.suspected == []
    assert np.isnan(found.thresholds[1])


def test_planted_label_errors_are_suspected_and_few_other_rows() -> None:
    """Of 450 rows, 18 mistakes of the classifier and 20 planted labels look the same to accuracy.

    A planted label whose row has less than the mean probability of its true class is not suspected.
    """
    images, labels = load_digits(return_X_y=True)
    # In the file, the digits of one person follow each other.
    train, test, truth, given = train_test_split(images / 16, labels, random_state=0)
    probabilities = LogisticRegression(max_iter=200).fit(train, truth).predict_proba(test)
    planted = np.random.default_rng(0).choice(len(given), 20, replace=False)
    given[planted] = (given[planted] + 3) % 10
    suspected = find_label_errors(eval_result(probabilities, given)).suspected
    right = sum(each.prediction.position in planted for each in suspected)
    assert right >= 0.9 * len(suspected)
    assert right >= len(planted) / 2

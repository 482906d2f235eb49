"""Mistakes, and the rows that are shown."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import log_loss

from csvision.errors import ConfigError
from csvision.inspection.mistakes import (
    choose_rows,
    describe_prediction,
    find_largest_loss,
    find_mistakes,
    find_positions,
)
from tests.inspection.examples import eval_result

PROBABILITIES = [[0.7, 0.2, 0.1], [0.1, 0.8, 0.1], [0.3, 0.3, 0.4], [0.9, 0.1, 0.0]]


def test_mistakes_are_ordered_by_confidence() -> None:
    found = find_mistakes(eval_result(PROBABILITIES, [0, 0, 1, 2]))
    assert [each.position for each in found] == [3, 1, 2]
    # The rows of the examples are in reverse order.
    assert [each.row for each in found] == [0, 2, 1]
    assert [(each.label, each.prediction) for each in found] == [
        ("class 2", "class 0"),
        ("class 0", "class 1"),
        ("class 1", "class 2"),
    ]
    assert not any(each.correct for each in found)


def test_largest_loss_need_not_be_the_most_confident_mistake() -> None:
    scores = [[0.7, 0.29, 0.01], [0.6, 0.0, 0.4], [0.9, 0.05, 0.05], [0.5, 0.0, 0.5]]
    result = eval_result(scores, [1, 1, 0, 1])
    largest = find_largest_loss(result)
    assert largest is not None
    assert find_mistakes(result)[0].position == 0
    # Of the two rows with probability 0 for their label, the more confident one.
    assert largest.position == 1
    assert largest.loss == max(each.loss for each in find_mistakes(result))
    assert find_largest_loss(eval_result(scores, [0, 0, 0, 0])) is None


def test_loss_is_that_of_sklearn() -> None:
    result = eval_result(PROBABILITIES, [0, 0, 1, 1])
    losses = [describe_prediction(result, position).loss for position in range(4)]
    expected = log_loss([0, 0, 1, 1], PROBABILITIES, labels=[0, 1, 2])
    assert np.mean(losses) == pytest.approx(expected, abs=1e-6)


def test_loss_of_a_label_with_probability_zero_is_finite() -> None:
    assert describe_prediction(eval_result([[0.0, 1.0]], [0]), 0).loss == pytest.approx(87.3, abs=1)


@given(st.lists(st.integers(0, 2), min_size=1, max_size=30), st.integers(0, 2**32 - 1))
def test_shown_rows_are_right_and_wrong(labels: list[int], seed: int) -> None:
    probabilities = np.random.default_rng(seed).dirichlet(np.ones(3), len(labels))
    result = eval_result(probabilities, labels)
    chosen = choose_rows(result)
    correct = (result.predictions == labels)[chosen]
    wrong_total = int((result.predictions != labels).sum())
    assert len(set(chosen)) == len(chosen) == min(6, len(labels))
    assert (~correct).sum() >= min(3, wrong_total)
    assert correct.sum() >= min(3, len(labels) - wrong_total)


def test_source_rows_give_positions_without_repetition() -> None:
    subset = eval_result(PROBABILITIES, [0, 0, 1, 2]).subset
    assert find_positions(subset, [3, 0, 3]) == [0, 3]
    assert find_positions(subset, []) == []


def test_row_that_is_no_test_row_is_rejected() -> None:
    subset = eval_result(PROBABILITIES, [0, 0, 1, 2]).subset
    with pytest.raises(ConfigError) as caught:
        find_positions(subset, [3, 4, 9])
    assert [message[:11] for message in caught.value.messages] == ["rows: row 4", "rows: row 9"]

"""Metrics of a split, against scikit-learn."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import accuracy_score, balanced_accuracy_score, f1_score

from csvision.config.monitor import SCORES
from csvision.metrics import FUNCTIONS, ClassCounts, SplitMetrics, class_scores

CLASSES = 4


def scores_of(labels: list[int], predictions: list[int]) -> dict[str, float]:
    counts = ClassCounts(CLASSES)
    counts.update(F.one_hot(torch.tensor(predictions), CLASSES).float(), torch.tensor(labels))
    return {name: float(value) for name, value in class_scores(counts.compute()).items()}


@pytest.mark.slow
@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=40))
def test_scores_are_those_of_scikit_learn(pairs: list[tuple[int, int]]) -> None:
    labels, predictions = [pair[0] for pair in pairs], [pair[1] for pair in pairs]
    found = scores_of(labels, predictions)
    assert found["acc"] == pytest.approx(accuracy_score(labels, predictions))
    f1 = f1_score(labels, predictions, average="macro", zero_division=0)
    assert found["f1"] == pytest.approx(f1)
    # scikit-learn warns about a class that is predicted but does not occur.
    recalls = [np.mean([p == c for t, p in pairs if t == c]) for c in set(labels)]
    assert found["balanced_acc"] == pytest.approx(float(np.mean(recalls)))


def test_balanced_accuracy_is_that_of_scikit_learn() -> None:
    labels, predictions = [0] * 9 + [1], [0] * 10
    assert balanced_accuracy_score(labels, predictions) == 0.5
    assert scores_of(labels, predictions)["balanced_acc"] == 0.5
    assert scores_of(labels, predictions)["acc"] == pytest.approx(0.9)


def test_every_score_has_a_function() -> None:
    assert tuple(FUNCTIONS) == SCORES


def test_batches_add_up_and_are_forgotten() -> None:
    torch.manual_seed(0)
    logits, labels = torch.randn(20, CLASSES), torch.randint(CLASSES, (20,))
    losses = F.cross_entropy(logits, labels, reduction="none")
    whole, parts = SplitMetrics("val", CLASSES), SplitMetrics("val", CLASSES)
    parts.update(losses[:7] + 1, logits[:7], labels[:7])
    parts.reset()
    whole.update(losses, logits, labels)
    for rows in (slice(0, 13), slice(13, 20)):
        parts.update(losses[rows], logits[rows], labels[rows])
    assert [*whole.compute()] == ["val/loss", "val/acc", "val/f1", "val/balanced_acc"]
    torch.testing.assert_close(parts.compute(), whole.compute())
    torch.testing.assert_close(whole.compute()["val/loss"], losses.mean())

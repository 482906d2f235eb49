"""The training loss, against torch's own and scikit-learn's class weights."""

import numpy as np
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st
from sklearn.utils.class_weight import compute_class_weight
from torch import nn

from csvision.losses import balanced_weights, build_cross_entropy

LABELS = np.array([0, 0, 0, 2, 1, 0])
LOGITS = torch.tensor([[2.0, -1.0, 0.5], [0.0, 0.0, 1.0]])
TARGETS = torch.tensor([0, 1])


def test_default_is_the_function_of_torch() -> None:
    assert build_cross_entropy(None, 0.0, LABELS, 3) is F.cross_entropy


def test_label_smoothing_is_that_of_torch() -> None:
    loss = build_cross_entropy(None, 0.1, LABELS, 3)(LOGITS, TARGETS)
    expected = nn.CrossEntropyLoss(label_smoothing=0.1)(LOGITS, TARGETS)
    torch.testing.assert_close(loss, expected, rtol=0, atol=0)
    # By hand: nine tenths on the label, one tenth over all three classes.
    log_p = LOGITS.log_softmax(dim=1)
    by_hand = -(0.9 * log_p[[0, 1], TARGETS] + 0.1 * log_p.mean(dim=1)).mean()
    torch.testing.assert_close(loss, by_hand)


def test_class_weights_weigh_the_images_of_their_classes() -> None:
    loss = build_cross_entropy([1.0, 3.0, 5.0], 0.0, LABELS, 3)(LOGITS, TARGETS)
    first, second = F.cross_entropy(LOGITS, TARGETS, reduction="none")
    torch.testing.assert_close(loss, (first + 3 * second) / 4)


def test_balanced_weights_are_computed_from_the_training_rows() -> None:
    balanced, given_weights = (
        build_cross_entropy(weights, 0.0, LABELS, 3)(LOGITS, TARGETS)
        for weights in ("balanced", [0.5, 2.0, 2.0])
    )
    torch.testing.assert_close(balanced, given_weights)


@given(st.lists(st.integers(0, 4), min_size=1, max_size=60))
def test_balanced_weights_are_those_of_scikit_learn(values: list[int]) -> None:
    labels = np.array(values)
    present = np.unique(labels)
    found = balanced_weights(labels, 5)
    expected = compute_class_weight("balanced", classes=present, y=labels)
    np.testing.assert_allclose(found[present], expected)
    assert not found[np.setdiff1d(np.arange(5), present)].any()


def test_weights_are_in_no_checkpoint() -> None:
    loss = build_cross_entropy("balanced", 0.0, LABELS, 3)
    assert isinstance(loss, nn.Module)
    assert loss.state_dict() == {}
    # They follow the precision of the network.
    assert loss.double()(LOGITS.double(), TARGETS).dtype is torch.float64

"""Manual gradients, compared with examples worked out on paper."""

import pytest
import torch

from csvision_claims.measuring.backpropagation import (
    SHAPES,
    autograd_gradients,
    check_gradients,
    compare_gradients,
    filter_gradient,
    image_gradient,
    manual_gradients,
    merge_windows,
    random_inputs,
    share_of_ties,
    split_windows,
)


def test_filter_gradient_is_a_correlation() -> None:
    image = torch.tensor([[[[1.0, 2.0, 3.0], [4.0, 5.0, 6.0], [7.0, 8.0, 9.0]]]])
    grad_maps = torch.tensor([[[[1.0, 0.0], [0.0, 10.0]]]])
    assert filter_gradient(image, grad_maps).tolist() == [[[[51.0, 62.0], [84.0, 95.0]]]]


def test_filter_gradient_sums_over_images() -> None:
    image, grad_maps = torch.ones(3, 2, 2, 2), torch.ones(3, 4, 1, 1)
    assert torch.equal(filter_gradient(image, grad_maps), torch.full((4, 2, 2, 2), 3.0))


def test_image_gradient_adds_the_filter_at_each_output() -> None:
    filters = torch.tensor([[[[1.0, 2.0], [3.0, 4.0]]]])
    grad_maps = torch.tensor([[[[10.0, 1.0]]]])
    assert image_gradient(grad_maps, filters).tolist() == [[[[10.0, 21.0, 2.0], [30.0, 43.0, 4.0]]]]


def test_windows_by_hand() -> None:
    maps = torch.arange(16).reshape(1, 1, 4, 4)
    cut = split_windows(maps)
    assert cut[0, 0].tolist() == [
        [[0, 1, 4, 5], [2, 3, 6, 7]],
        [[8, 9, 12, 13], [10, 11, 14, 15]],
    ]
    assert torch.equal(merge_windows(cut), maps)


def test_gradients_agree_and_are_not_zero() -> None:
    for largest, difference in compare_gradients(seed=5).values():
        assert largest > 1e-3
        assert difference < 1e-14


def test_wrong_gradient_is_detected() -> None:
    leaves, labels = random_inputs(0), torch.tensor([1, 4])
    expected = autograd_gradients(leaves, labels)
    with torch.no_grad():
        found = manual_gradients(leaves, labels)
    rotated = found["filters"].flip(2, 3)
    assert float((rotated - expected["filters"]).abs().max()) > 1e-3
    assert {name: tuple(value.shape) for name, value in found.items()} == SHAPES


def test_finite_differences_agree_except_at_ties() -> None:
    assert check_gradients(seed=3) == {
        "convolution": 1,
        "max pooling": 1,
        "flatten and dense": 1,
        "max pooling of black": 0,
    }


def test_share_of_ties_in_garments() -> None:
    # Black windows alone are about four in ten.
    assert share_of_ties() == pytest.approx(0.46, abs=0.01)

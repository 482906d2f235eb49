"""Gradients by hand, held against a few worked on paper."""

import pytest
import torch

from csvision.claims.measuring.backpropagation import (
    SHAPES,
    by_autograd,
    by_hand,
    filter_gradient,
    gradients,
    image_gradient,
    joined,
    numerical,
    random_inputs,
    ties,
    windows,
)


def test_filter_gradient_is_a_correlation() -> None:
    image = torch.tensor([[[[1.0, 2.0, 3.0], [4.0, 5.0, 6.0], [7.0, 8.0, 9.0]]]])
    at_maps = torch.tensor([[[[1.0, 0.0], [0.0, 10.0]]]])
    assert filter_gradient(image, at_maps).tolist() == [[[[51.0, 62.0], [84.0, 95.0]]]]


def test_filter_gradient_sums_over_images() -> None:
    image, at_maps = torch.ones(3, 2, 2, 2), torch.ones(3, 4, 1, 1)
    assert torch.equal(filter_gradient(image, at_maps), torch.full((4, 2, 2, 2), 3.0))


def test_image_gradient_lays_the_filter_down_where_it_was() -> None:
    filters = torch.tensor([[[[1.0, 2.0], [3.0, 4.0]]]])
    at_maps = torch.tensor([[[[10.0, 1.0]]]])
    assert image_gradient(at_maps, filters).tolist() == [[[[10.0, 21.0, 2.0], [30.0, 43.0, 4.0]]]]


def test_windows_by_hand() -> None:
    maps = torch.arange(16).reshape(1, 1, 4, 4)
    cut = windows(maps)
    assert cut[0, 0].tolist() == [
        [[0, 1, 4, 5], [2, 3, 6, 7]],
        [[8, 9, 12, 13], [10, 11, 14, 15]],
    ]
    assert torch.equal(joined(cut), maps)


def test_gradients_agree_and_are_not_zero() -> None:
    for largest, difference in gradients(seed=5).values():
        assert largest > 1e-3
        assert difference < 1e-14


def test_a_wrong_gradient_would_be_seen() -> None:
    leaves, labels = random_inputs(0), torch.tensor([1, 4])
    expected = by_autograd(leaves, labels)
    with torch.no_grad():
        found = by_hand(leaves, labels)
    turned = found["filters"].flip(2, 3)
    assert float((turned - expected["filters"]).abs().max()) > 1e-3
    assert {name: tuple(value.shape) for name, value in found.items()} == SHAPES


def test_finite_differences_agree_but_at_ties() -> None:
    assert numerical(seed=3) == {
        "convolution": 1,
        "maximum pooling": 1,
        "flatten and matrix": 1,
        "maximum pooling of black": 0,
    }


def test_share_of_ties() -> None:
    # Black windows alone are about four in ten.
    assert ties() == pytest.approx(0.46, abs=0.01)

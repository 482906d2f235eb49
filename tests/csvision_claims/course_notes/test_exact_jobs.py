"""The jobs of exact claims, on inputs small enough to work out on paper."""

import pytest
import torch

from csvision_claims.course_notes import (
    a01_convolution,
    a03_padding,
    a04_padding_modes,
    a05_stride,
    a06_memory,
    a07_pooling,
    a09_summary,
    a11_backpropagation,
    a12_epoch_loss,
    b01_parameters,
    b11_equivariance,
    b13_pooling_size,
)
from csvision_claims.measuring.border_usage import Counts, count_uses
from csvision_claims.measuring.output_sides import claimed_side


def test_patch_sums_by_hand() -> None:
    image = torch.tensor([[[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]])
    weights = torch.tensor([[[10.0, 1.0], [0.0, 100.0]]])
    sums = a01_convolution.sum_patches(image, weights, torch.tensor(0.5))
    assert sums.tolist() == [[512.5, 623.5]]


def test_layer_with_rotated_filter_is_a_convolution() -> None:
    found = a01_convolution.compare_convolutions(seed=3)["filters"]
    assert {name for name, pair in found.items() if pair["original"][1] < 1e-9} == {"mean, 3x3"}
    assert all(pair["rotated"][1] < 1e-9 for pair in found.values())


def test_terms_of_the_notes() -> None:
    assert (a03_padding.first_term(28, 3, 1), a03_padding.second_term(28, 3, 1)) == (28, 30)
    assert a03_padding.measure_shapes([(28, 3, 1), (5, 2, 0)]) == [(28, 28), (4, 4)]


def test_padded_images_have_their_sizes() -> None:
    images = a04_padding_modes.pad_image(torch.zeros(1, 1, 28, 28), 3)
    sides = {name: image.shape[2] for name, image in images.items()}
    assert sides == {
        "valid": 28,
        "same": 30,
        "full": 32,
        "reflect": 30,
        "replicate": 30,
        "circular": 30,
    }


def test_padded_rows_by_hand() -> None:
    image = torch.arange(9.0).reshape(1, 1, 3, 3)
    rows = {name: maps[0, 0, 1] for name, maps in a04_padding_modes.pad_image(image, 3).items()}
    assert rows["same"].tolist() == [0, 0, 1, 2, 0]
    assert rows["reflect"].tolist() == [1, 0, 1, 2, 1]
    assert rows["replicate"].tolist() == [0, 0, 1, 2, 2]
    assert rows["circular"].tolist() == [2, 0, 1, 2, 0]


def test_torch_rejects_same_padding_only_with_a_stride() -> None:
    assert a04_padding_modes.same_padding_error(1) is None
    assert "not supported for strided convolutions" in str(a04_padding_modes.same_padding_error(2))


@pytest.mark.parametrize(
    ("case", "dilation", "side"),
    [((28, 3, 1, 2), 1, 14), ((7, 3, 0, 2), 1, 3), ((8, 3, 0, 2), 1, 3), ((28, 3, 1, 1), 3, 24)],
)
def test_strided_sides_by_hand(case: a05_stride.Case, dilation: int, side: int) -> None:
    assert a05_stride.measure_sides([case], dilation) == [side]


def test_bytes_of_the_batch() -> None:
    found = a06_memory.measure_layer(32, 0, "meta")
    assert found["maps"] == 32 * 226 * 226 * 100 * 4 == 653_772_800
    assert found["weights"] == 4 * (100 * 27 + 100) == 11_200
    assert a06_memory.measure_layer(32, 1, "meta")["maps"] == 665_395_200


def test_gradient_through_each_pooling() -> None:
    found = a07_pooling.trace_gradients(seed=1)
    (first, second), (third, fourth) = (row[:2] for row in found["values"][:2])
    window = [first, second, third, fourth]
    for name, chosen in (("max", max(window)), ("min", min(window))):
        gradient = found["pools"][name]["gradient"]
        assert [*gradient[0][:2], *gradient[1][:2]] == [float(v == chosen) for v in window]
    assert {value for row in found["pools"]["avg"]["gradient"] for value in row} == {0.25}


def test_summary_of_a_batch_by_hand() -> None:
    assert a09_summary.summarize_batch(100) == {
        "parameters": 109_386,
        "multiply_adds": 100 * 109_184,
        "biases": 100 * 202,
        "input": 100 * 784 * 4,
        "outputs": 100 * 202 * 4,
        "relu": 100 * 192 * 4,
        "weights": 109_386 * 4,
    }


def test_a_filter_as_a_matrix() -> None:
    rows = a11_backpropagation.filter_as_matrix()["matrix"]
    assert rows[0] == [1, 2, 3, 0, 0, 4, 5, 6, 0, 0, 7, 8, 9, *[0] * 12]
    assert rows[4] == [*[0] * 6, 1, 2, 3, 0, 0, 4, 5, 6, 0, 0, 7, 8, 9, *[0] * 6]
    assert rows[8] == [*[0] * 12, 1, 2, 3, 0, 0, 4, 5, 6, 0, 0, 7, 8, 9]


def test_difference_from_matrix_product_is_detected() -> None:
    assert a11_backpropagation.is_product(1.0, 1e-15)
    assert not a11_backpropagation.is_product(1.0, 1e-3)


def test_size_of_last_batch() -> None:
    assert [a12_epoch_loss.last_batch_size(size) for size in (32, 37, 1000)] == [32, 27, 800]


def test_costs_of_networks_and_layers() -> None:
    assert b01_parameters.network_cost("MLP", 3)["parameters"] == 310_090
    assert b01_parameters.network_cost("CNN", 1) == {
        "parameters": 220_234,
        "multiply_adds": 4_039_808,
        "dense": 200_768,
    }
    assert b01_parameters.network_cost("global average", 1)["parameters"] == 23_626
    assert b01_parameters.layer_costs("convolution 1") == {
        "convolution": {"parameters": 320, "multiply_adds": 225_792},
        "dense": {"parameters": 19_694_080, "multiply_adds": 784 * 25_088},
    }


def test_uses_without_padding() -> None:
    assert count_uses(4, 3) == [[1, 2, 2, 1], [2, 4, 4, 2], [2, 4, 4, 2], [1, 2, 2, 1]]


@pytest.mark.parametrize(
    ("padding", "mode", "counts"),
    [
        (1, "constant", [[4, 6, 4], [6, 9, 6], [4, 6, 4]]),
        (2, "constant", [[9] * 3] * 3),
        (1, "circular", [[9] * 3] * 3),
        (1, "replicate", [[9] * 3] * 3),
        (1, "reflect", [[4, 10, 4], [10, 25, 10], [4, 10, 4]]),
    ],
)
def test_uses_with_padding(padding: int, mode: str, counts: Counts) -> None:
    assert count_uses(3, 3, padding, mode) == counts


def test_features_shift_with_the_image() -> None:
    assert b11_equivariance.compare_shifted("convolution", 3, seed=1)["positions"] == 3
    pooled = b11_equivariance.compare_shifted("convolution, max pooling", 4, seed=1)
    assert (pooled["positions"], pooled["error"]) == (2, pytest.approx(0, abs=1e-12))


def test_changed_features_are_detected() -> None:
    assert b11_equivariance.dependence_case("case", (1.0, 1e-3)).measured == 1
    assert b11_equivariance.dependence_case("case", (1.0, 1e-14)).measured == 0


def test_minima_and_sides() -> None:
    assert b13_pooling_size.compare_minima(3, 2, seed=5)[1] == 0
    assert claimed_side(28, 3, stride=2) == 13

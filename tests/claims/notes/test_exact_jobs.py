"""What the exact claims compute, on inputs small enough for paper."""

import pytest
import torch

from csvision.claims.notes import (
    a01_patch,
    a03_padding,
    a04_paddings,
    a05_stride,
    a06_memory,
    a07_pooling,
    a09_summary,
    a11_backpropagation,
    a12_epoch_loss,
    b01_parameters,
    b06_edges,
    b07_padding_cures,
    b11_equivariance,
    b13_poolings,
)


def test_patch_sums_by_hand() -> None:
    image = torch.tensor([[[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]])
    weights = torch.tensor([[[10.0, 1.0], [0.0, 100.0]]])
    sums = a01_patch.patch_sums(image, weights, torch.tensor(0.5))
    assert sums.tolist() == [[512.5, 623.5]]


def test_turning_makes_a_convolution_of_the_layer() -> None:
    found = a01_patch.flips(seed=3)["filters"]
    assert {name for name, pair in found.items() if pair["as it is"][1] < 1e-9} == {"mean, 3x3"}
    assert all(pair["turned"][1] < 1e-9 for pair in found.values())


def test_terms_of_the_notes() -> None:
    assert (a03_padding.first_term(28, 3, 1), a03_padding.second_term(28, 3, 1)) == (28, 30)
    assert a03_padding.shapes([(28, 3, 1), (5, 2, 0)]) == [(28, 28), (4, 4)]


def test_paddings_have_their_sizes() -> None:
    images = a04_paddings.padded(torch.zeros(1, 1, 28, 28), 3)
    sides = {name: image.shape[2] for name, image in images.items()}
    assert sides == {
        "valid": 28,
        "same": 30,
        "full": 32,
        "reflect": 30,
        "replicate": 30,
        "circular": 30,
    }


def test_paddings_of_an_image_by_hand() -> None:
    image = torch.arange(9.0).reshape(1, 1, 3, 3)
    rows = {name: maps[0, 0, 1] for name, maps in a04_paddings.padded(image, 3).items()}
    assert rows["same"].tolist() == [0, 0, 1, 2, 0]
    assert rows["reflect"].tolist() == [1, 0, 1, 2, 1]
    assert rows["replicate"].tolist() == [0, 0, 1, 2, 2]
    assert rows["circular"].tolist() == [2, 0, 1, 2, 0]


def test_same_is_refused_only_with_a_stride() -> None:
    assert a04_paddings.refusal(1) is None
    assert "not supported for strided convolutions" in str(a04_paddings.refusal(2))


@pytest.mark.parametrize(
    ("case", "dilation", "side"),
    [((28, 3, 1, 2), 1, 14), ((7, 3, 0, 2), 1, 3), ((8, 3, 0, 2), 1, 3), ((28, 3, 1, 1), 3, 24)],
)
def test_strided_sides_by_hand(case: a05_stride.Case, dilation: int, side: int) -> None:
    assert a05_stride.sides([case], dilation) == [side]


def test_bytes_of_the_batch() -> None:
    found = a06_memory.layer_on_batch(32, 0, "meta")
    assert found["maps"] == 32 * 226 * 226 * 100 * 4 == 653_772_800
    assert found["weights"] == 4 * (100 * 27 + 100) == 11_200
    assert a06_memory.layer_on_batch(32, 1, "meta")["maps"] == 665_395_200


def test_gradient_through_poolings() -> None:
    found = a07_pooling.gradients(seed=1)
    (first, second), (third, fourth) = (row[:2] for row in found["values"][:2])
    window = [first, second, third, fourth]
    for name, chosen in (("max", max(window)), ("min", min(window))):
        gradient = found["pools"][name]["gradient"]
        assert [*gradient[0][:2], *gradient[1][:2]] == [float(v == chosen) for v in window]
    assert {value for row in found["pools"]["avg"]["gradient"] for value in row} == {0.25}


def test_summary_of_a_batch_by_hand() -> None:
    assert a09_summary.summary(100) == {
        "parameters": 109_386,
        "multiply_adds": 100 * 109_184,
        "biases": 100 * 202,
        "input": 100 * 784 * 4,
        "outputs": 100 * 202 * 4,
        "relu": 100 * 192 * 4,
        "weights": 109_386 * 4,
    }


def test_a_filter_as_a_matrix() -> None:
    rows = a11_backpropagation.matrix()["matrix"]
    assert rows[0] == [1, 2, 3, 0, 0, 4, 5, 6, 0, 0, 7, 8, 9, *[0] * 12]
    assert rows[4] == [*[0] * 6, 1, 2, 3, 0, 0, 4, 5, 6, 0, 0, 7, 8, 9, *[0] * 6]
    assert rows[8] == [*[0] * 12, 1, 2, 3, 0, 0, 4, 5, 6, 0, 0, 7, 8, 9]


def test_what_is_no_product_would_be_seen() -> None:
    assert a11_backpropagation.is_product(1.0, 1e-15)
    assert not a11_backpropagation.is_product(1.0, 1e-3)


def test_last_batches() -> None:
    assert [a12_epoch_loss.last_batch(size) for size in (32, 37, 1000)] == [32, 27, 800]


def test_costs_of_networks_and_layers() -> None:
    assert b01_parameters.cost_of_network("MLP", 3)["parameters"] == 310_090
    assert b01_parameters.cost_of_network("CNN", 1) == {
        "parameters": 220_234,
        "multiply_adds": 4_039_808,
        "dense": 200_768,
    }
    assert b01_parameters.cost_of_network("global average", 1)["parameters"] == 23_626
    assert b01_parameters.costs_of_layer("convolution 1") == {
        "convolution": {"parameters": 320, "multiply_adds": 225_792},
        "dense": {"parameters": 19_694_080, "multiply_adds": 784 * 25_088},
    }


def test_uses_without_padding() -> None:
    assert b06_edges.uses(4, 3) == [[1, 2, 2, 1], [2, 4, 4, 2], [2, 4, 4, 2], [1, 2, 2, 1]]


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
def test_uses_with_padding(padding: int, mode: str, counts: b07_padding_cures.Counts) -> None:
    assert b07_padding_cures.uses(3, 3, padding, mode) == counts


def test_features_move_along_with_the_image() -> None:
    assert b11_equivariance.moved("convolution", 3, seed=1)["places"] == 3
    pooled = b11_equivariance.moved("convolution, max pooling", 4, seed=1)
    assert (pooled["places"], pooled["error"]) == (2, pytest.approx(0, abs=1e-12))


def test_features_that_change_would_be_seen() -> None:
    assert b11_equivariance.changed("case", (1.0, 1e-3)).measured == 1
    assert b11_equivariance.changed("case", (1.0, 1e-14)).measured == 0


def test_minima_and_sides() -> None:
    assert b13_poolings.minima(3, 2, seed=5)[1] == 0
    assert b13_poolings.claimed_side(28, 3, 2) == 13

"""The pieces of the claims that train: each worked by hand on small cases."""

from typing import Any

import numpy as np
import pytest
import torch

from csvision.claims.arms import Arm, settings_of
from csvision.claims.measuring.dots import DISTANCES
from csvision.claims.notes import (
    b02_overfitting,
    b03_arrangement,
    b04_edges,
    b05_shrinking,
    b08_receptive_field,
    b09_stride_cost,
    b10_memory,
    b12_invariance,
    b14_max_pooling,
    b15_location,
)
from csvision.geometry import layer_table
from csvision.models.build import build_network
from csvision.models.cnn import CNN


def run(train: float, test: float) -> dict[str, Any]:
    return {"final train/loss": train, "test/loss": test}


class TestOverfitting:
    TARGET = b02_overfitting.TARGET

    def test_a_training_that_hits_the_target_gives_its_own_gap(self) -> None:
        runs = [run(0.5, 0.6), run(self.TARGET, self.TARGET + 0.2), run(0.1, 0.7)]
        assert b02_overfitting.gap_at_target(runs) == pytest.approx(0.2)

    def test_between_two_trainings_the_gap_is_on_their_line(self) -> None:
        # Half way in the logarithm, half way in the gap.
        high, low = 2 * self.TARGET, self.TARGET / 2
        runs = [run(high, high + 0.1), run(low, low + 0.3)]
        assert b02_overfitting.gap_at_target(runs) == pytest.approx(0.2)
        assert b02_overfitting.brackets(runs)
        assert not b02_overfitting.brackets(runs[:1])

    @pytest.mark.parametrize("family", ["MLP", "CNN"])
    def test_the_networks_have_the_sizes_that_they_are_named_by(self, family: str) -> None:
        sizes = [
            b02_overfitting.parameters_of(name)
            for name in b02_overfitting.NETWORKS
            if name.startswith(family)
        ]
        assert sizes == [pytest.approx(size, rel=0.05) for size in (20_000, 110_000, 220_000)]


class TestEdges:
    def test_gradients_are_all_edge_and_other_patterns_none(self) -> None:
        straight = [[-1, 0, 1]] * 3
        slanted = [[-2, -1, 0], [-1, 0, 1], [0, 1, 2]]
        flat, spot = np.ones((3, 3)), [[0, -1, 0], [-1, 4, -1], [0, -1, 0]]
        energy = b04_edges.edge_energy(np.array([straight, slanted, flat, spot], dtype=float))
        assert energy == pytest.approx([1, 1, 0, 0], abs=1e-12)

    def test_random_filters_have_two_ninths_of_it(self) -> None:
        filters = np.random.default_rng(0).normal(size=(20_000, 3, 3))
        energy = b04_edges.edge_energy(filters)
        assert float(energy.mean()) == pytest.approx(2 / 9, abs=0.005)
        # A share of a two-dimensional plane in nine is Beta(1, 7/2).
        assert float((energy > 0.5).mean()) == pytest.approx(0.5**3.5, abs=0.006)

    def test_features_of_all_stages_have_one_size(self) -> None:
        settings = settings_of(b04_edges.ARM)
        network = build_network(settings.model, (1, 28, 28), 10, seed=0)
        assert isinstance(network, CNN)
        features = b04_edges.features(network, torch.zeros(3, 1, 28, 28, dtype=torch.uint8))
        assert [found.shape for found in features] == [(3, 16 * 7 * 7)] * 3


class TestShrinking:
    def test_28_pixels_survive_13_layers(self) -> None:
        assert b05_shrinking.surviving(28) == 13
        assert [b05_shrinking.left(28, layers) for layers in (1, 13)] == [26, 2]
        assert b05_shrinking.left(14, 6) == 2

    def test_only_the_padding_sets_the_arms_apart(self) -> None:
        tables = {}
        for arm in b05_shrinking.ARMS:
            layers = layer_table(settings_of(arm).model, (1, 28, 28), 10)
            assert layers is not None
            tables[arm.name] = layers
        for depth in (2, 4, 6):
            parameters = {
                sum(layer.parameters for layer in tables[f"{padding}, {depth} layers"])
                for padding in b05_shrinking.PADDINGS
            }
            assert len(parameters) == 1
        (last,) = [layer.input_shape for layer in tables["valid, 6 layers"] if layer.name == "head"]
        assert last == (8, 2, 2)


class TestReceptiveField:
    def test_is_what_gradients_reach(self) -> None:
        for name in b08_receptive_field.STAGES:
            arm = b08_receptive_field.arm(name)
            expected = 5 if name == "two layers" else 7
            assert b08_receptive_field.receptive_field(arm) == expected
            assert reached(arm) == expected

    def test_two_layers_see_neither_pair_and_the_others_see_one(self) -> None:
        near, far = DISTANCES.values()
        assert 5 < near + 1 <= 7 < far + 1


def reached(arm: Arm) -> int:
    """The side of the square of pixels that has a gradient from one value of the last map."""
    settings = settings_of(arm)
    network = build_network(settings.model, (1, 20, 20), 2, seed=0)
    image = torch.rand(1, 1, 20, 20, requires_grad=True)
    maps = image
    assert isinstance(network, CNN)
    for stage in network.stages:
        # Without ReLU no pixel is lost by chance.
        maps = stage.get_submodule("convolution")(maps)
    maps[0, 0, maps.shape[2] // 2, maps.shape[3] // 2].backward()
    assert image.grad is not None
    rows = image.grad[0, 0].abs().sum(dim=1).nonzero().flatten()
    return int(rows.max() - rows.min()) + 1


class TestInvariance:
    def test_images_move_four_ways_by_the_same_pixels(self) -> None:
        images = torch.zeros(8, 1, 5, 5, dtype=torch.uint8)
        images[:, 0, 2, 2] = 1
        moved = b12_invariance.shifted(images, 2)
        places = [image[0].nonzero().tolist() for image in moved]
        assert places[:4] == [[[2, 4]], [[2, 0]], [[4, 2]], [[0, 2]]]
        assert places[4:] == places[:4]
        assert torch.equal(b12_invariance.shifted(images, 0), images)

    def test_gains_and_losses_are_points_of_agreement(self) -> None:
        one, two = {"agreement": [1.0, 0.9, 0.8]}, {"agreement": [1.0, 0.8, 0.6]}
        assert b12_invariance.gain([one], [two], (1, 2)) == pytest.approx([15.0])
        assert b12_invariance.lost([one], 2) == pytest.approx([20.0])

    def test_no_garment_is_cut(self) -> None:
        assert max(b12_invariance.SHIFTS) <= b12_invariance.BORDER


class TestMaxPooling:
    def test_three_arms_have_equal_parameters(self) -> None:
        totals = {}
        for arm in b14_max_pooling.CLEAN:
            layers = layer_table(settings_of(arm).model, (1, 28, 28), 10)
            assert layers is not None
            totals[arm.name] = sum(layer.parameters for layer in layers)
            (head,) = [layer for layer in layers if layer.name == "head"]
            assert head.input_shape == (24, 7, 7)
        assert totals["max"] == totals["average"] == totals["subsample"] < totals["learned stride"]


class TestArrangement:
    def test_reordered_weights_give_the_same_logits(self) -> None:
        one, two = b03_arrangement.logits_of_both(seed=1)
        assert len(one) == 200
        assert one == pytest.approx(two, rel=1e-10)

    def test_a_drop_is_in_points(self) -> None:
        plain, moved = [{"test/acc": 0.9}], [{"test/acc": 0.85}]
        assert b03_arrangement.drops(plain, moved) == pytest.approx([5.0])


class TestCost:
    def test_multiply_adds_by_hand(self) -> None:
        # 9 taps, 3 channels, 100 filters, 224x224, 112x112 and 56x56 positions.
        assert [b09_stride_cost.multiply_adds(stride) for stride in (1, 2, 4)] == [
            2700 * 224**2,
            2700 * 112**2,
            2700 * 56**2,
        ]

    def test_ratios_are_those_of_stride_one_to_another(self) -> None:
        assert b09_stride_cost.ratios({"1": [4.0, 6.0], "2": [2.0, 2.0]}, 2) == [2.0, 3.0]


class TestMemory:
    def test_sizes_by_hand(self) -> None:
        assert b10_memory.WEIGHT_BYTES == 11_200
        assert b10_memory.OUTPUT_BYTES == 226 * 226 * 100 * 4

    def test_a_slope_is_the_bytes_of_one_more_image(self) -> None:
        rows = np.array([[15.0, 25.0, 35.0, 45.0], [1.0, 1.0, 1.0, 1.0]])
        assert b10_memory.slopes(rows) == pytest.approx([10.0, 0.0], abs=1e-9)

    def test_a_pass_takes_at_least_its_output(self) -> None:
        grown = [b10_memory.peak_growth("convolution", batch, 0) for batch in (1, 4)]
        assert grown[1] - grown[0] > 0.9 * 3 * b10_memory.OUTPUT_BYTES


class TestLocation:
    def test_only_the_zeros_set_the_last_two_arms_apart(self) -> None:
        average, zeros = b15_location.ARMS[2:]
        assert [word.replace("zeros", "circular") for word in zeros.overrides] == list(
            average.overrides
        )

    def test_a_guess_at_the_middle(self) -> None:
        assert b15_location.chance() == pytest.approx(42 / 13)

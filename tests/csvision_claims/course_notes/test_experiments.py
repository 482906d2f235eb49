"""The functions of claims that train networks, on small cases worked out by hand."""

from typing import Any, ClassVar

import numpy as np
import pytest
import torch

from csvision import CNN, build_model, layer_table
from csvision_claims.course_notes import (
    b02_overfitting,
    b03_arrangement,
    b04_edge_filters,
    b05_shrinking,
    b08_receptive_field,
    b09_stride_cost,
    b10_memory,
    b12_invariance,
    b14_max_pooling,
    b15_location,
)
from csvision_claims.engine.arms import Arm, load_arm_config
from csvision_claims.measuring.dots import DISTANCES


def run(train: float, test: float) -> dict[str, Any]:
    return {"final train/loss": train, "test/loss": test}


class TestOverfitting:
    TARGET = b02_overfitting.TARGET

    def test_training_at_the_target_gives_its_gap(self) -> None:
        runs = [run(0.5, 0.6), run(self.TARGET, self.TARGET + 0.2), run(0.1, 0.7)]
        assert b02_overfitting.gap_at_target(runs) == pytest.approx(0.2)

    def test_gap_between_two_trainings_is_interpolated(self) -> None:
        # The midpoint of the logarithms gives the midpoint of the gaps.
        high, low = 2 * self.TARGET, self.TARGET / 2
        runs = [run(high, high + 0.1), run(low, low + 0.3)]
        assert b02_overfitting.gap_at_target(runs) == pytest.approx(0.2)
        assert b02_overfitting.brackets_target(runs)
        assert not b02_overfitting.brackets_target(runs[:1])

    @pytest.mark.slow
    @pytest.mark.parametrize("family", ["MLP", "CNN"])
    def test_networks_have_the_sizes_in_their_names(self, family: str) -> None:
        sizes = [
            b02_overfitting.count_parameters(name)
            for name in b02_overfitting.NETWORKS
            if name.startswith(family)
        ]
        assert sizes == [pytest.approx(size, rel=0.05) for size in (20_000, 110_000, 220_000)]


class TestEdges:
    def test_gradients_have_all_edge_energy_and_other_patterns_none(self) -> None:
        straight = [[-1, 0, 1]] * 3
        slanted = [[-2, -1, 0], [-1, 0, 1], [0, 1, 2]]
        flat, spot = np.ones((3, 3)), [[0, -1, 0], [-1, 4, -1], [0, -1, 0]]
        energy = b04_edge_filters.edge_energy(
            np.array([straight, slanted, flat, spot], dtype=float)
        )
        assert energy == pytest.approx([1, 1, 0, 0], abs=1e-12)

    def test_random_filters_have_two_ninths_of_edge_energy(self) -> None:
        filters = np.random.default_rng(0).normal(size=(20_000, 3, 3))
        energy = b04_edge_filters.edge_energy(filters)
        assert float(energy.mean()) == pytest.approx(2 / 9, abs=0.005)
        # A share of a two-dimensional plane in nine is Beta(1, 7/2).
        assert float((energy > 0.5).mean()) == pytest.approx(0.5**3.5, abs=0.006)

    def test_features_of_all_stages_have_one_size(self) -> None:
        config = load_arm_config(b04_edge_filters.ARM)
        network = build_model(config.model, (1, 28, 28), 10, seed=0)
        assert isinstance(network, CNN)
        features = b04_edge_filters.stage_features(
            network, torch.zeros(3, 1, 28, 28, dtype=torch.uint8)
        )
        assert [maps.shape for maps in features] == [(3, 16 * 7 * 7)] * 3


class TestShrinking:
    def test_28_pixels_survive_13_layers(self) -> None:
        assert b05_shrinking.count_surviving_layers(28) == 13
        assert [b05_shrinking.side_after(28, layers) for layers in (1, 13)] == [26, 2]
        assert b05_shrinking.side_after(14, 6) == 2

    @pytest.mark.slow
    def test_arms_differ_only_in_padding(self) -> None:
        tables = {}
        for arm in b05_shrinking.ARMS:
            layers = layer_table(load_arm_config(arm).model, (1, 28, 28), 10)
            assert layers is not None
            tables[arm.name] = layers
        for depth in (2, 4, 6):
            parameters = {
                sum(layer.parameters for layer in tables[f"{padding}, {depth} layers"])
                for padding in b05_shrinking.PADDINGS
            }
            assert len(parameters) == 1
        (pooled,) = [
            layer.input_shape for layer in tables["valid, 6 layers"] if layer.name == "global_pool"
        ]
        assert pooled == (8, 2, 2)


class TestReceptiveField:
    @pytest.mark.slow
    def test_equals_what_gradients_reach(self) -> None:
        for name in b08_receptive_field.STAGES:
            arm = b08_receptive_field.make_arm(name)
            expected = 5 if name == "two layers" else 7
            assert b08_receptive_field.receptive_field(arm) == expected
            assert gradient_extent(arm) == expected

    def test_two_layers_span_no_pair_and_other_arms_span_one(self) -> None:
        near, far = DISTANCES.values()
        assert 5 < near + 1 <= 7 < far + 1


def gradient_extent(arm: Arm) -> int:
    """Return the side of the square of pixels with a gradient from one value of the last map."""
    config = load_arm_config(arm)
    network = build_model(config.model, (1, 20, 20), 2, seed=0)
    image = torch.rand(1, 1, 20, 20, requires_grad=True)
    maps = image
    assert isinstance(network, CNN)
    for stage in network.stages:
        # ReLU could remove the gradient of a pixel at random.
        maps = stage.get_submodule("convolution")(maps)
    maps[0, 0, maps.shape[2] // 2, maps.shape[3] // 2].backward()
    assert image.grad is not None
    rows = image.grad[0, 0].abs().sum(dim=1).nonzero().flatten()
    return int(rows.max() - rows.min()) + 1


class TestInvariance:
    def test_images_are_shifted_in_four_directions(self) -> None:
        images = torch.zeros(8, 1, 5, 5, dtype=torch.uint8)
        images[:, 0, 2, 2] = 1
        moved = b12_invariance.shift_images(images, 2)
        places = [image[0].nonzero().tolist() for image in moved]
        assert places[:4] == [[[2, 4]], [[2, 0]], [[4, 2]], [[0, 2]]]
        assert places[4:] == places[:4]
        assert torch.equal(b12_invariance.shift_images(images, 0), images)

    def test_gains_and_losses_are_in_points_of_agreement(self) -> None:
        one, two = {"agreement": [1.0, 0.9, 0.8]}, {"agreement": [1.0, 0.8, 0.6]}
        assert b12_invariance.agreement_gain([one], [two], (1, 2)) == pytest.approx([15.0])
        assert b12_invariance.agreement_loss([one], 2) == pytest.approx([20.0])

    def test_shifts_do_not_cut_garments(self) -> None:
        assert max(b12_invariance.SHIFTS) <= b12_invariance.PAD


class TestMaxPooling:
    @pytest.mark.slow
    def test_arms_without_learned_stride_have_equal_parameters(self) -> None:
        totals = {}
        for arm in b14_max_pooling.CLEAN:
            layers = layer_table(load_arm_config(arm).model, (1, 28, 28), 10)
            assert layers is not None
            totals[arm.name] = sum(layer.parameters for layer in layers)
            (flatten,) = [layer for layer in layers if layer.name == "flatten"]
            assert flatten.input_shape == (24, 7, 7)
        assert totals["max"] == totals["average"] == totals["subsample"] < totals["learned stride"]


class TestArrangement:
    def test_permuted_weights_give_the_same_logits(self) -> None:
        one, two = b03_arrangement.compare_logits(seed=1)
        assert len(one) == 200
        assert one == pytest.approx(two, rel=1e-10)

    def test_permutation_cost_is_in_points(self) -> None:
        rows: list[dict[str, str | float]] = [
            {"arm": name, "test accuracy, %": value} for name, value in self.ACCURACY.items()
        ]
        finding = b03_arrangement.describe(rows, 2e-15)
        assert "costs the CNN 5.0 points of accuracy and the MLP 0.5" in finding
        assert finding.endswith("same logits after 50 steps, to 2e-15.")

    ACCURACY: ClassVar[dict[str, float]] = {
        "MLP": 80.0,
        "CNN": 90.0,
        "MLP, permuted": 79.5,
        "CNN, permuted": 85.0,
    }


class TestCost:
    def test_multiply_adds_by_hand(self) -> None:
        # 9 taps, 3 channels, 100 filters, 224x224, 112x112 and 56x56 positions.
        assert [b09_stride_cost.count_multiply_adds(stride) for stride in (1, 2, 4)] == [
            2700 * 224**2,
            2700 * 112**2,
            2700 * 56**2,
        ]

    def test_ratios_compare_stride_one_with_another(self) -> None:
        assert b09_stride_cost.time_ratios({"1": [4.0, 6.0], "2": [2.0, 2.0]}, 2) == [2.0, 3.0]


class TestMemory:
    def test_sizes_by_hand(self) -> None:
        assert b10_memory.WEIGHT_BYTES == 11_200
        assert b10_memory.OUTPUT_BYTES == 226 * 226 * 100 * 4

    def test_slope_is_the_bytes_per_image(self) -> None:
        rows = np.array([[15.0, 25.0, 35.0, 45.0], [1.0, 1.0, 1.0, 1.0]])
        assert b10_memory.fit_slopes((1, 2, 3, 4), rows) == pytest.approx([10.0, 0.0], abs=1e-9)

    @pytest.mark.slow
    def test_forward_pass_needs_at_least_its_output(self) -> None:
        grown = [b10_memory.measure_peak_growth("convolution", batch, 0) for batch in (1, 4)]
        assert grown[1] - grown[0] > 0.9 * 3 * b10_memory.OUTPUT_BYTES


class TestLocation:
    def test_last_two_arms_differ_only_in_padding_mode(self) -> None:
        average, zeros = b15_location.ARMS[2:]
        assert [word.replace("zeros", "circular") for word in zeros.overrides] == list(
            average.overrides
        )

    def test_error_of_predicting_the_center(self) -> None:
        assert b15_location.center_error() == pytest.approx(42 / 13)

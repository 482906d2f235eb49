"""Mixup and CutMix: pixels, weights, and random numbers that depend on seed and step alone."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from csvision.mixing import Mixing, cutmix, mixup

IMAGES = torch.arange(5 * 2 * 6 * 6, dtype=torch.uint8).reshape(5, 2, 6, 6)
LABELS = torch.arange(5)


def test_mixup_interpolates() -> None:
    images, others = torch.full((1, 1, 1, 1), 100), torch.full((1, 1, 1, 1), 200)
    assert mixup(images, others, 0.75).item() == 125


@given(weight=st.floats(0, 1), seed=st.integers(0, 99))
@settings(max_examples=60, deadline=None)
def test_cutmix_replaces_one_box_and_returns_the_fraction_of_own_pixels(
    weight: float, seed: int
) -> None:
    images, others = torch.zeros(2, 1, 6, 8), torch.ones(2, 1, 6, 8)
    mixed, own = cutmix(images, others, weight, np.random.default_rng(seed))
    assert own == pytest.approx(float((mixed == 0).float().mean()))
    assert torch.equal(mixed[0], mixed[1])
    rows, columns = mixed[0, 0].nonzero(as_tuple=True)
    if len(rows):
        box = mixed[0, 0, rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
        assert box.all()
    # Rounding of the sides, and a box that is cut off at the edge, make it smaller.
    assert 1 - own <= (6 * (1 - weight) ** 0.5 + 0.5) * (8 * (1 - weight) ** 0.5 + 0.5) / 48


def test_labels_are_those_of_the_other_images() -> None:
    mixed, others, weight = Mixing(1.0, 0.0, seed=3)(IMAGES, LABELS, step=7)
    assert sorted(others.tolist()) == LABELS.tolist()
    torch.testing.assert_close(mixed, mixup(IMAGES, IMAGES[others], weight))


def test_batch_depends_on_seed_and_step_alone() -> None:
    mix = Mixing(1.0, 1.0, seed=3)
    first, again = (mix(IMAGES, LABELS, step=7) for _ in range(2))
    assert torch.equal(first[0], again[0])
    assert first[2] == again[2]
    assert first[2] != mix(IMAGES, LABELS, step=8)[2]
    assert first[2] != Mixing(1.0, 1.0, seed=4)(IMAGES, LABELS, step=7)[2]


def test_both_are_used_about_equally_often() -> None:
    mix = Mixing(1.0, 1.0, seed=0)
    kinds = [mix(IMAGES, LABELS, step)[0].dtype for step in range(200)]
    assert 70 < kinds.count(torch.uint8) < 130


def test_weight_follows_the_beta_distribution() -> None:
    mix = Mixing(0.2, 0.0, seed=0)
    weights = np.array([mix(IMAGES, LABELS, step)[2] for step in range(500)])
    # The variance of Beta(a, a) is 1 / (8 a + 4).
    assert weights.var() == pytest.approx(1 / (8 * 0.2 + 4), rel=0.15)
    assert weights.mean() == pytest.approx(0.5, abs=0.06)

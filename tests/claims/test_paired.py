"""Figures of paired runs, by hand."""

import pytest

from csvision.claims.arms import Arm
from csvision.claims.paired import band, differences, mean_of, score_table

ONE = [{"test/acc": 0.9, "x": 4.0}, {"test/acc": 0.8, "x": 6.0}]
TWO = [{"test/acc": 0.85, "x": 2.0}, {"test/acc": 0.85, "x": 2.0}]


def test_differences_go_seed_by_seed() -> None:
    assert differences(ONE, TWO, "test/acc") == pytest.approx([5.0, -5.0])
    assert differences(ONE, TWO, "x", scale=1) == [2.0, 4.0]
    assert mean_of(ONE, "x") == 5.0


def test_arms_with_other_seeds_cannot_be_paired() -> None:
    with pytest.raises(ValueError, match="shorter"):
        differences(ONE, TWO[:1], "test/acc")


def test_a_row_an_arm_with_its_learning_rate() -> None:
    arms = [
        Arm("one", ("model=mlp", "optimizer.lr=0.2")),
        Arm("two", ("optimizer.lr=0.3",)),
    ]
    runs = {"one": ONE, "two": [{"test/acc": 0.5}]}
    first, second = score_table(arms, runs, {"test/acc": "accuracy", "x": "other"})
    assert first["learning rate"] == 0.2
    assert first["accuracy, %"] == pytest.approx(85.0)
    assert first["accuracy, deviation"] == pytest.approx(7.0711, abs=1e-4)
    assert second["accuracy, deviation"] == second["other, %"] == ""


def test_a_band_is_the_interval_of_the_seeds_at_each_place() -> None:
    line = band("a", [1, 2], [[1.0, 3.0], [5.0, 5.0]], dashed=True)
    assert (line.x, line.y, line.dashed) == ([1, 2], [2.0, 5.0], True)
    # Mean 2, standard error 1, t(1, 97.5 %) 12.7062.
    assert line.low == pytest.approx([2 - 12.7062, 5.0], abs=1e-4)
    assert line.high == pytest.approx([2 + 12.7062, 5.0], abs=1e-4)
    assert band("a", [1], [[1.0]]).low == []

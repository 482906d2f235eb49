"""Statistics of paired runs, by hand."""

import pytest

from csvision_claims.engine.arms import Arm
from csvision_claims.engine.paired import (
    accuracy_table,
    column_by_arm,
    mean_ci_series,
    paired_differences,
)

ONE = [{"test/acc": 0.9, "x": 4.0}, {"test/acc": 0.8, "x": 6.0}]
TWO = [{"test/acc": 0.85, "x": 2.0}, {"test/acc": 0.85, "x": 2.0}]


def test_differences_are_computed_seed_by_seed() -> None:
    assert paired_differences(ONE, TWO, "test/acc") == pytest.approx([5.0, -5.0])
    assert paired_differences(ONE, TWO, "x", scale=1) == [2.0, 4.0]


def test_arms_with_other_seeds_cannot_be_paired() -> None:
    with pytest.raises(ValueError, match="shorter"):
        paired_differences(ONE, TWO[:1], "test/acc")


def test_table_has_one_row_per_arm_with_its_learning_rate() -> None:
    arms = [
        Arm("one", ("model=mlp", "optimizer.lr=0.2")),
        Arm("two", ("optimizer.lr=0.3",)),
    ]
    runs = {"one": ONE, "two": [{"test/acc": 0.5}]}
    table = accuracy_table(arms, runs, {"test/acc": "accuracy", "x": "other"})
    first, second = table
    assert first["learning rate"] == 0.2
    assert first["accuracy, %"] == pytest.approx(85.0)
    assert first["accuracy, std"] == pytest.approx(7.0711, abs=1e-4)
    assert second["accuracy, std"] == second["other, %"] == ""
    assert column_by_arm(table, "other, %") == {"one": pytest.approx(500.0)}


def test_band_is_the_interval_over_seeds_at_each_x() -> None:
    line = mean_ci_series("a", [1, 2], [[1.0, 3.0], [5.0, 5.0]], dashed=True)
    assert (line.x, line.y, line.dashed) == ([1, 2], [2.0, 5.0], True)
    # Mean 2, standard error 1, t(1, 97.5 %) 12.7062.
    assert line.low == pytest.approx([2 - 12.7062, 5.0], abs=1e-4)
    assert line.high == pytest.approx([2 + 12.7062, 5.0], abs=1e-4)
    assert mean_ci_series("a", [1], [[1.0]]).low == []

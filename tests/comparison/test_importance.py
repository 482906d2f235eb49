"""The share of the variance that keys explain, and places on axes."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.feature_selection import f_classif

from csvision.comparison.importance import Cell, key_importance, scale, to_cell


@settings(deadline=None)
@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 9)), min_size=4, max_size=20))
def test_eta_squared_follows_from_the_f_statistic(rows: list[tuple[str, int]]) -> None:
    """F = (between / (k - 1)) / (within / (n - k)), so eta^2 = F (k - 1) / (F (k - 1) + n - k)."""
    names, values = zip(*rows, strict=True)
    groups, n = len(set(names)), len(rows)
    found = key_importance([{"key": name} for name in names], values)
    if len(set(values)) == 1:
        assert found == {}
        return
    within = sum(np.var([v for m, v in rows if m == name]) for name in set(names))
    if not 1 < groups < n or within == 0:
        return
    labels = [sorted(set(names)).index(name) for name in names]
    statistic = f_classif(np.array(values, float).reshape(-1, 1), labels)[0][0]
    expected = statistic * (groups - 1) / (statistic * (groups - 1) + n - groups)
    assert found["key"] == pytest.approx(expected, abs=1e-9)


def test_key_that_decides_comes_first() -> None:
    rows: list[dict[str, Cell]] = [
        {"lr": lr, "seed": str(seed)} for lr in (0.1, 0.2) for seed in range(3)
    ]
    found = key_importance(rows, [1, 1, 1, 2, 2, 2])
    assert found == {"lr": 1.0, "seed": 0.0}


def test_many_numbers_are_grouped() -> None:
    numbers = np.linspace(0, 1, 100)
    found = key_importance(
        [{"x": float(x)} for x in numbers], (numbers > 0.5).astype(float).tolist()
    )
    assert 0.7 < found["x"] < 1


def test_axes_are_logarithmic_for_several_magnitudes() -> None:
    assert scale([0.001, 0.01, 0.1]) == pytest.approx([0, 0.5, 1])
    assert scale([1.0, 2.0, 3.0]) == pytest.approx([0, 0.5, 1])
    assert scale(["b", "a", "b"]) == [1, 0, 1]
    assert scale([5.0, 5.0]) == [0, 0]
    assert to_cell("1e-3") == 0.001
    assert to_cell("nan") == "nan"
    assert to_cell("adam") == "adam"

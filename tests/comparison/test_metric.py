"""The direction of a metric, and intervals within its range."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from csvision.comparison.compare import compare_runs
from csvision.comparison.metric import difference_bounds, metric_bounds
from csvision.comparison.page import compare_or_none, write_page
from csvision.comparison.sources import read_sources
from csvision.comparison.statistics import mean_interval, paired_test
from csvision.errors import ConfigError
from tests.comparison.made_up_runs import accuracies, write_run, write_sweep

FRACTIONS = st.lists(st.floats(0, 1), min_size=2, max_size=5)


@settings(deadline=None)
@given(FRACTIONS)
def test_interval_of_a_score_is_within_its_range_and_has_the_mean(values: list[float]) -> None:
    interval, free = mean_interval(values, metric_bounds("val/f1")), mean_interval(values)
    assert interval.mean == free.mean
    if free.low is None or free.high is None:
        assert (interval.low, interval.high) == (None, None)
        return
    assert interval.low == max(0.0, free.low)
    assert interval.high == min(1.0, free.high)


@pytest.mark.parametrize(
    ("metric", "bounds", "differences"),
    [
        ("val/acc", (0, 1), (-1, 1)),
        ("test/balanced_acc", (0, 1), (-1, 1)),
        ("val/loss", (0, float("inf")), (-float("inf"), float("inf"))),
        ("train/loss", (-float("inf"), float("inf")), (-float("inf"), float("inf"))),
        ("val/Cost", (-float("inf"), float("inf")), (-float("inf"), float("inf"))),
    ],
)
def test_range_of_metrics_and_of_their_differences(
    metric: str, bounds: tuple[float, float], differences: tuple[float, float]
) -> None:
    assert metric_bounds(metric) == bounds
    assert difference_bounds(metric) == differences


def test_interval_of_differences_is_clipped_but_not_its_test() -> None:
    clipped, free = (
        paired_test([-0.9, 0.1, 0.9], 1, bounds) for bounds in ((-1.0, 1.0), (-9.0, 9.0))
    )
    assert clipped is not None
    assert free is not None
    assert (clipped.difference.low, clipped.difference.high) == (-1.0, 1.0)
    assert (clipped.p_t, clipped.detectable) == (free.p_t, free.detectable)


@pytest.mark.slow
def test_no_figure_of_few_scattered_runs_leaves_the_range(tmp_path: Path) -> None:
    jobs = accuracies(mlp=(0.3, 0.9, 0.95), cnn=(0.9, 0.35, 0.98))
    sweep = write_sweep(tmp_path / "s", jobs)
    comparison = compare_runs([sweep], show_test=True)
    for setting in comparison.settings:
        for name in ("val/acc", "test/acc"):
            interval = setting.metrics[name]
            assert interval.low is not None
            assert interval.high is not None
            assert 0 <= interval.low <= interval.mean <= interval.high <= 1
    text = str(comparison)
    line = (
        "or model=mlp - model=cnn, the t-test of 3 pairs detects no difference, not even one of 100"
    )
    assert f"f{line}" in text
    assert "e+0" not in text
    row = next(line for line in text.splitlines() if line.startswith("model=mlp - model=cnn"))
    assert "none" in row.split()
    sources = read_sources([sweep])
    page = write_page(sources, compare_or_none(sources), sweep).read_text(encoding="utf-8")
    assert f"F{line}" in page


def write_costs(folder: Path, mode: str, **costs: float) -> None:
    """Write runs with a custom metric, one run per model."""
    custom = ["metric.path=costs.py:Cost", f"metric.mode={mode}"]
    for model, cost in costs.items():
        write_run(folder / f"{model}_{mode}", [f"model={model}", *custom], val__Cost=cost)


class TestMode:
    @pytest.mark.slow
    @pytest.mark.parametrize(("mode", "best"), [("min", "model=mlp"), ("max", "model=cnn")])
    def test_metric_mode_of_the_runs_decides_which_value_is_best(
        self, mode: str, best: str, tmp_path: Path
    ) -> None:
        folder = tmp_path / "runs"
        write_costs(folder, mode, mlp=2.0, cnn=3.0)
        comparison = compare_runs([folder], metric="val/Cost")
        assert (comparison.mode, comparison.chosen) == (mode, best)
        first = next(line for line in str(comparison).splitlines() if line.startswith("*"))
        assert first.split()[1] == best

    def test_runs_with_both_modes_are_refused(self, tmp_path: Path) -> None:
        for mode in ("min", "max"):
            write_costs(tmp_path / "runs", mode, mlp=2.0)
        with pytest.raises(ConfigError, match=r"metric=val/Cost: .*metric.mode=min"):
            compare_runs([tmp_path / "runs"], metric="val/Cost")

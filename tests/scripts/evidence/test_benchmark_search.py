"""The comparison of searches with and without pruning, at its smallest size."""

import pytest

from tests.scripts.evidence.run_script import run_script


@pytest.mark.slow
@pytest.mark.thorough
def test_table_and_means_are_printed() -> None:
    ended = run_script("benchmark_search.py", "seeds=1", "n_trials=2", "epochs=2")
    assert ended.returncode == 0, ended.stderr
    *_, row, difference, ratio = ended.stdout.splitlines()
    seed, best_none, best_pruned, seconds_none, seconds_pruned = row.split()[:5]
    # With two trials, nothing is pruned, and both searches are the same.
    assert (seed, best_none) == ("0", best_pruned)
    assert difference == "mean difference of the best: +0.00 points"
    measured = float(seconds_pruned) / float(seconds_none)
    assert float(ratio.rpartition(" ")[2]) == pytest.approx(measured, abs=0.02)

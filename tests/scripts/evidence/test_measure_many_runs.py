"""The steps that scripts/evidence/measure_many_runs.py measures, on a few runs."""

from pathlib import Path

import pytest

from measure_many_runs import (
    compare_all,
    list_runs,
    make_runs,
    measure,
    plan_resume,
    tabulate_sweep,
)


@pytest.mark.slow
def test_all_runs_are_made_listed_compared_and_resumed(tmp_path: Path) -> None:
    (sweep,) = make_runs(tmp_path, 120)
    assert list_runs(tmp_path) == "120 runs"
    assert compare_all(tmp_path).startswith("24 settings, ")
    assert (tmp_path / "comparison.csv").exists()
    assert tabulate_sweep(sweep) == "120 jobs"
    assert plan_resume(sweep) == "1 of 120 jobs to resume"
    result, seconds, peak = measure(list_runs, tmp_path)
    assert (result, seconds >= 0, peak > 10) == ("120 runs", True, True)

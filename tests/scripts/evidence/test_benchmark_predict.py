"""The benchmark of predicting files, on small files."""

import pytest

from tests.scripts.evidence.run_script import run_script


@pytest.mark.slow
@pytest.mark.thorough
@pytest.mark.attacks
def test_benchmark_prints_a_row_for_each_file() -> None:
    ended = run_script("benchmark_predict.py", "few=10", "many=50")
    assert ended.returncode == 0, ended.stderr
    header, few, many, ratio = ended.stdout.splitlines()
    assert header.split()[0] == "rows"
    assert [line.split()[0] for line in (few, many)] == ["10", "50"]
    assert float(ratio.rpartition(" ")[2]) == pytest.approx(1, abs=0.2)

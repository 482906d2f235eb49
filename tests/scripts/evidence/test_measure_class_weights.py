"""The measurement of class weights and balanced sampling, with few runs."""

import re

import pytest

from tests.scripts.evidence.run_script import run_script


@pytest.mark.slow
@pytest.mark.thorough
@pytest.mark.attacks
def test_table_has_a_row_for_each_number_of_epochs() -> None:
    ended = run_script("measure_class_weights.py", "seeds=2", "longest=15")
    assert (ended.returncode, ended.stderr) == (0, "")
    header, *rows = ended.stdout.splitlines()
    assert header.split()[2:] == ["loss.class_weights=balanced", "data.balanced_sampling=true"]
    row = re.compile(r" +(10|15)  +0\.\d{3}(  +[+-]0\.\d{3} \(0\.\d{3}\)){2}")
    assert [match[1] for line in rows if (match := row.fullmatch(line))] == ["10", "15"]

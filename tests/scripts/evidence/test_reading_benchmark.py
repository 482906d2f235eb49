"""The benchmark of reading files, on a small file."""

import re
from pathlib import Path

import pytest

from reading_benchmark import write_copies
from tests.scripts.evidence.run_script import run_script


@pytest.mark.slow
def test_benchmark_prints_a_row_for_each_reader(digits_csv: Path) -> None:
    ended = run_script("benchmark.py", f"csv={digits_csv}", "repeats=1", "copies=2")
    assert ended.returncode == 0, ended.stderr
    lines = ended.stdout.splitlines()
    assert lines[0].split() == ["median", "of", "1", "seconds", "extra", "MB", "peak", "MB"]
    assert [re.split(r"\s{2,}", line.strip())[0] for line in lines[1:6]] == [
        "pandas.read_csv",
        "csvision, first read",
        "csvision, second read (cached)",
        "of which hashing the file",
        "csvision, first read, 2 x rows",
    ]
    # One byte per pixel, and labels and hashes of the rows.
    (size,) = [line for line in lines if line.startswith("bytes per pixel in memory: ")]
    assert 1 < float(size.rpartition(" ")[2]) < 1.5


def test_each_copy_changes_one_pixel_of_every_row(tmp_path: Path) -> None:
    source, target = tmp_path / "source.csv", tmp_path / "target.csv"
    source.write_text("label,a,b,c\n7,0,255,5\n8,1,2,3\n", encoding="utf-8")
    write_copies(source, target, 3)
    assert target.read_text(encoding="utf-8").splitlines() == [
        "label,a,b,c",
        "7,0,255,5",
        "8,1,2,3",
        "7,0,0,5",
        "8,1,3,3",
        "7,0,255,7",
        "8,1,2,5",
    ]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("csv", "error"),
    [
        ("nowhere.csv", "error: nowhere.csv: "),
        ("bundled", "error: csv=bundled: must be an uncompressed .csv file"),
    ],
)
def test_unusable_files_are_rejected(csv: str, error: str) -> None:
    refused = run_script("benchmark.py", f"csv={csv}")
    assert refused.returncode == 2
    assert refused.stderr.startswith(error)

"""Killed and repeated runs come to the same bits; the scripts do many more of them."""

import subprocess
import sys

from tests.conftest import ROOT


def run(script: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(ROOT / "scripts" / script), *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=600)


def test_six_killed_runs_end_as_if_nothing_had_happened() -> None:
    ended = run("kill_and_resume.py", "runs=6")
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert "6 of 6 runs equal after" in ended.stdout


def test_four_configurations_are_equal_in_four_ways() -> None:
    ended = run("repeat.py", "configurations=4")
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert "4 of 4 configurations equal in 4 ways, 4 different" in ended.stdout


def test_help_says_what_they_do() -> None:
    for script in ("kill_and_resume.py", "repeat.py", "benchmark.py"):
        ended = run(script, "--help")
        assert ended.returncode == 0
        assert f"python scripts/{script} " in ended.stdout


def test_what_cannot_be_read_is_told() -> None:
    for script, argument in (("kill_and_resume.py", "runs=x"), ("repeat.py", "configurations=3")):
        ended = run(script, argument)
        assert ended.returncode == 1
        assert ended.stderr.startswith("error: write python scripts/")

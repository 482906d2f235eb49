"""Killed and resumed runs end like uninterrupted ones; check_resume.py does many of them."""

import random
from pathlib import Path

import pytest

import check_resume
from tests.scripts.evidence.run_script import run_script


@pytest.mark.thorough
@pytest.mark.slow
def test_two_killed_runs_end_like_uninterrupted_runs() -> None:
    ended = run_script("check_resume.py", "runs=2")
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert "2 of 2 runs equal after" in ended.stdout


@pytest.mark.thorough
@pytest.mark.slow
def test_killed_sweep_ends_like_an_uninterrupted_one() -> None:
    ended = run_script("check_resume.py", "mode=sweep", "runs=2")
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert "6 of 6 jobs equal after 2 kills of the sweep" in ended.stdout


@pytest.mark.slow
def test_a_run_that_resumes_with_other_results_is_reported(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def train_and_change(
        folder: Path, overrides: tuple[str, ...], seconds: float, rng: random.Random
    ) -> tuple[check_resume.Outcome, int]:
        outcome, _ = check_resume.run_uninterrupted(folder, (*overrides, "seed=9"))
        return outcome, 1

    monkeypatch.setattr("check_resume.run_interrupted", train_and_change)
    monkeypatch.setattr("sys.argv", ["check_resume.py", "runs=1"])
    with pytest.raises(SystemExit, match="1"):
        check_resume.main()
    first, last = capsys.readouterr().out.splitlines()
    assert first.endswith("DIFFERENT weights, predictions, history, metrics")
    assert last == "0 of 1 runs equal after 1 kills"

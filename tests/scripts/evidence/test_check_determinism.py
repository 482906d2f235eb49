"""A configuration has the same weights in every launch mode; check_determinism.py checks many."""

from collections.abc import Sequence
from pathlib import Path

import pytest

import check_determinism
from tests.scripts.evidence.run_script import run_script


@pytest.mark.thorough
@pytest.mark.slow
def test_two_configurations_have_equal_weights_in_four_launch_modes() -> None:
    ended = run_script("check_determinism.py", "configurations=2")
    assert ended.returncode == 0, ended.stdout + ended.stderr
    summary = "2 of 2 configurations have equal weights in 4 launch modes; 2 distinct"
    assert ended.stdout.splitlines()[-1] == summary


def test_number_of_configurations_must_be_two_or_a_multiple_of_four() -> None:
    refused = run_script("check_determinism.py", "configurations=5")
    assert refused.returncode == 2
    assert refused.stderr == "error: configurations=5 must be 2 or a multiple of 4\n"


@pytest.mark.parametrize(
    ("from_python", "equal", "distinct"),
    [
        ([["a", "b", "c", "x"]], 3, 4),
        ([["a", "b", "c", "d"]], 4, 4),
    ],
)
def test_different_weights_are_reported(
    from_python: Sequence[list[str]],
    equal: int,
    distinct: int,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def four(folder: Path, *arguments: object, **options: object) -> list[str]:
        return ["a", "b", "c", "d"]

    monkeypatch.setattr(check_determinism, "run_commands", four)
    monkeypatch.setattr(check_determinism, "run_sweep", four)
    monkeypatch.setattr(check_determinism, "run_in_process", lambda *_: from_python[0])
    monkeypatch.setattr("sys.argv", ["check_determinism.py", "configurations=4"])
    with pytest.raises(SystemExit, match="0" if equal == 4 else "1"):
        check_determinism.main()
    output = capsys.readouterr().out
    assert f"{equal} of 4 configurations have equal weights" in output
    assert f"; {distinct} distinct" in output

"""Commands and paths in messages are those that the user can paste."""

from pathlib import Path

import pytest

from csvision.command_hints import command_line, display_path


@pytest.mark.parametrize(
    ("argv0", "expected"),
    [
        ("/home/me/.venv/bin/csvision", "csvision inspect-data 'data.csv=my file.csv'"),
        ("scripts/train.py", "python scripts/inspect_data.py 'data.csv=my file.csv'"),
        (
            "../a b/scripts/train.py",
            "python '../a b/scripts/inspect_data.py' 'data.csv=my file.csv'",
        ),
        ("my_notebook.py", "csvision inspect-data 'data.csv=my file.csv'"),
        ("", "csvision inspect-data 'data.csv=my file.csv'"),
    ],
)
def test_command_is_written_as_this_process_was_started(
    argv0: str, expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.argv", [argv0])
    assert command_line("inspect-data", "data.csv=my file.csv") == expected


def test_script_of_inspect_has_another_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.argv", ["scripts/train.py"])
    assert command_line("inspect", "run=1") == "python scripts/inspect_run.py run=1"


def test_path_inside_the_current_directory_is_relative(tmp_path: Path) -> None:
    assert display_path(tmp_path / "runs" / "1") == Path("runs/1")
    assert display_path(Path("runs/1")) == Path("runs/1")
    assert display_path(tmp_path.parent) == tmp_path.parent

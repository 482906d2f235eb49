"""Commands in messages are those that the user can paste."""

import pytest

from csvision.command_hints import command_line


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

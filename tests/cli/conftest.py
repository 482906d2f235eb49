"""Run `csvision` in this process, as the installed command does."""

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from csvision.cli.main import main


@dataclass(frozen=True)
class Output:
    """Exit code and output of a command."""

    code: int
    out: str
    err: str

    @property
    def errors(self) -> list[str]:
        """The messages of a command that was rejected, without `error: `."""
        assert self.code == 2, self
        assert self.out == ""
        lines = self.err.splitlines()
        assert lines
        assert all(line.startswith("error: ") for line in lines)
        return [line.removeprefix("error: ") for line in lines]

    @property
    def error(self) -> str:
        """The only message of a command that was rejected."""
        (message,) = self.errors
        return message


RunCommand = Callable[..., Output]


@pytest.fixture
def csvision_command(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> RunCommand:
    """Return a function that runs `csvision ARGUMENTS` and returns its output."""

    def run(*arguments: str) -> Output:
        monkeypatch.setattr("sys.argv", ["/somewhere/bin/csvision", *arguments])
        # Set by the command, which usually ends with its process.
        monkeypatch.setenv("HYDRA_FULL_ERROR", "1")
        capfd.readouterr()
        code = 0
        try:
            main()
        except SystemExit as end:
            code = int(end.code or 0)
        return Output(code, *capfd.readouterr())

    return run

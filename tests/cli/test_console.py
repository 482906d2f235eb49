"""The console of a command: tests/attacks/test_console.py breaks it for real."""

import errno
import io
import sys

import pytest

from csvision.cli.console import ConsoleStream, use_safe_console


class FailingStream(io.StringIO):
    """A stream that cannot be written."""

    def __init__(self, number: int) -> None:
        super().__init__()
        self.number = number

    def write(self, text: str) -> int:
        raise OSError(self.number, "cannot write")

    def flush(self) -> None:
        raise OSError(self.number, "cannot write")


def test_error_of_a_stream_is_reported_once_with_its_name() -> None:
    report = io.StringIO()
    stream = ConsoleStream(FailingStream(errno.ENOSPC), "standard output", report)
    assert stream.write("text") == 4
    stream.flush()
    assert report.getvalue() == "warning: standard output cannot be written: cannot write\n"


def test_reader_that_has_ended_is_not_reported() -> None:
    report = io.StringIO()
    stream = ConsoleStream(FailingStream(errno.EPIPE), "standard output", report)
    stream.write("text")
    stream.flush()
    assert report.getvalue() == ""


def test_streams_are_restored(monkeypatch: pytest.MonkeyPatch) -> None:
    output, errors = io.StringIO(), io.StringIO()
    monkeypatch.setattr(sys, "stdout", output)
    monkeypatch.setattr(sys, "stderr", errors)
    with use_safe_console():
        print("text")
    assert sys.stdout is output
    assert sys.stderr is errors
    assert output.getvalue() == "text\n"


def test_process_without_console_discards_text(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", None)
    monkeypatch.setattr(sys, "stderr", None)
    with use_safe_console():
        print("text")
        print("text", file=sys.stderr)
    assert sys.stdout is None

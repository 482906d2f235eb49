"""A progress bar on a terminal, and log lines elsewhere."""

import io
import logging
import sys

import pytest

from csvision_claims.engine import progress
from csvision_claims.engine.progress import progress_bar


def test_without_terminal_progress_is_logged(
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(progress, "LOG_INTERVAL", 0.0)
    with caplog.at_level(logging.INFO, "csvision"), progress_bar("C1", 4) as bar:
        for _ in range(4):
            bar.update()
    lines = [message for message in caplog.messages if message.startswith("C1: 2 of 4 jobs, ")]
    assert [line.endswith(" left") for line in lines] == [True]
    assert capsys.readouterr() == ("", "")


def test_without_terminal_short_work_logs_nothing(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "csvision"), progress_bar("C1", 4) as bar:
        for _ in range(4):
            bar.update()
    assert caplog.messages == []


class Terminal(io.StringIO):
    """A stream that claims to be a terminal."""

    def isatty(self) -> bool:
        return True


def test_on_terminal_a_bar_is_drawn_and_removed(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    with caplog.at_level(logging.INFO, "csvision"), progress_bar("C1", 2) as bar:
        bar.update()
    text = terminal.getvalue()
    assert "C1" in text
    assert "0/2" in text
    assert text.endswith("\r")
    assert caplog.messages == []

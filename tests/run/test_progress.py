"""The progress of long work: a bar on a terminal, lines elsewhere, nothing if quiet."""

import io
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout

import pytest

from csvision.run import progress
from csvision.run.log import log_to_console
from csvision.run.progress import show_progress


class Terminal(io.StringIO):
    """A terminal that keeps what is printed."""

    def isatty(self) -> bool:
        return True


@contextmanager
def use_terminal() -> Iterator[Terminal]:
    """Print on a terminal."""
    terminal = Terminal()
    with redirect_stdout(terminal), redirect_stderr(terminal):
        yield terminal


def test_bar_counts_items_on_a_terminal_and_disappears() -> None:
    with use_terminal() as terminal, show_progress("images", total=4000) as update:
        update(1000)
        update(3000)
        # The total is an estimate.
        update(5000)
    printed = terminal.getvalue()
    assert "0%|" in printed
    assert "/4.00k" in printed
    assert "images" in printed
    assert printed.endswith("\r")


def test_lines_elsewhere_are_few(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    now = iter([0.0, 4.0, 12.0, 13.0, 25.0])
    monkeypatch.setattr(progress, "monotonic", lambda: next(now))
    with log_to_console(), show_progress("images", total=90_000) as update:
        for done in (10_000, 30_000, 40_000, 75_000):
            update(done)
    assert capsys.readouterr().out.splitlines() == [
        "30,000 of about 90,000 images, 2,500 per second",
        "75,000 of about 90,000 images, 3,000 per second",
    ]


def test_quiet_shows_nothing() -> None:
    with use_terminal() as terminal, show_progress("images", quiet=True) as update:
        update(10_000)
    assert terminal.getvalue() == ""

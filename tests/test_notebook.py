"""The bar of a notebook; tests/test_tour.py shows it in a real kernel."""

from typing import Any

import IPython.display
import pytest

from csvision import notebook
from csvision.notebook import NotebookBar, in_notebook


class Handle:
    """Keeps what is displayed."""

    def __init__(self) -> None:
        self.shown: list[dict[str, str]] = []

    def update(self, data: dict[str, str], raw: bool) -> None:
        assert raw
        self.shown.append(data)


@pytest.fixture
def handle(monkeypatch: pytest.MonkeyPatch) -> Handle:
    handle = Handle()

    def display(*data: Any, **options: Any) -> Handle:
        return handle

    monkeypatch.setattr(IPython.display, "display", display)
    return handle


def test_a_program_is_no_notebook() -> None:
    assert not in_notebook()


def test_bar_is_updated_at_most_five_times_a_second_and_disappears(
    handle: Handle, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = iter([0.0, 0.1, 0.19, 0.21, 0.3])
    monkeypatch.setattr(notebook, "monotonic", lambda: next(now))
    bar = NotebookBar()
    for done in range(5):
        bar.update(f"{done} <images>", done, total=3)
    bar.close()
    first, second, last = handle.shown
    assert (first["text/plain"], second["text/plain"]) == ("0 <images>", "3 <images>")
    assert 'value="3" max="3"' in second["text/html"]
    assert "3 &lt;images&gt;" in second["text/html"]
    assert set(last.values()) == {""}


def test_bar_without_a_total_shows_activity(handle: Handle) -> None:
    NotebookBar().update("5 images", 5, total=None)
    assert "value=" not in handle.shown[0]["text/html"]

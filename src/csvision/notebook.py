"""A progress bar in a Jupyter notebook, where a terminal's bar would fill the output."""

import sys
from html import escape
from time import monotonic
from typing import Any

SECONDS_BETWEEN_UPDATES = 0.2


def in_notebook() -> bool:
    """Return whether this code runs in the kernel of a notebook."""
    # Code in a kernel has imported it; elsewhere it need not be installed.
    ipython: Any = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    return shell is not None and hasattr(shell, "kernel")


class NotebookBar:
    """A bar of HTML that is updated in its place and disappears when it is closed."""

    def __init__(self) -> None:
        from IPython import display

        module: Any = display
        empty = {"text/plain": "", "text/html": ""}
        self.handle = module.display(empty, raw=True, display_id=True)
        self.next_update = 0.0

    def update(self, text: str, done: int, total: int | None) -> None:
        """Show a text and the fraction that is done; without a total, the bar shows activity."""
        now = monotonic()
        if now < self.next_update:
            return
        self.next_update = now + SECONDS_BETWEEN_UPDATES
        fraction = "" if total is None else f' value="{min(done, total)}" max="{total}"'
        bar = f'<progress style="width:20em"{fraction}></progress> {escape(text)}'
        self.show(text, bar)

    def close(self) -> None:
        """Remove the bar."""
        self.show("", "")

    def show(self, text: str, html: str) -> None:
        """Replace what is displayed."""
        self.handle.update({"text/plain": text, "text/html": html}, raw=True)

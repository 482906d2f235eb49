"""Show the progress of long work: a bar on a terminal or in a notebook, plain lines elsewhere."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import monotonic
from typing import Any

from tqdm import tqdm

from csvision.notebook import NotebookBar, in_notebook
from csvision.run.log import is_terminal, log

SECONDS_BETWEEN_LINES = 10.0


@contextmanager
def show_progress(
    what: str, total: int | None = None, quiet: bool = False
) -> Iterator[Callable[[int], None]]:
    """Yield a function that is called with the number of items done so far.

    `what` names the items. `total` may be an estimate. With `quiet`, nothing is shown.
    """
    if quiet:
        yield lambda done: None
    elif in_notebook():
        bar = NotebookBar()
        try:
            yield lambda done: bar.update(f"{done:,} {what}", done, total)
        finally:
            bar.close()
    elif is_terminal():
        with tqdm(total=total, unit=f" {what}", unit_scale=True, leave=False) as terminal_bar:
            yield lambda done: update_bar(terminal_bar, done)
    else:
        yield lines(what, total)


def update_bar(bar: Any, done: int) -> None:
    """Set the number of items of a bar; an estimate that was too small grows."""
    if bar.total is not None and done > bar.total:
        bar.total = done
    bar.update(done - bar.n)


def lines(what: str, total: int | None) -> Callable[[int], None]:
    """Return a function that logs a line, at most one in ten seconds."""
    start = last = monotonic()

    def update(done: int) -> None:
        nonlocal last
        now = monotonic()
        if now - last >= SECONDS_BETWEEN_LINES:
            last = now
            of = f" of about {total:,}" if total is not None else ""
            log.info(
                "%s%s %s, %s per second", f"{done:,}", of, what, f"{done / (now - start):,.0f}"
            )

    return update

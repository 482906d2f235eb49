"""Spend less time on garbage collection, in processes that csvision starts itself.

Packages create almost a million objects when they are imported, all of which stay. To search them
for garbage again and again, and once more at the end, takes about as long as to import torch.
"""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


def collect_rarely() -> None:
    """Search for garbage after every 100,000 new objects, instead of 700."""
    gc.set_threshold(100_000, 50, 100)


@contextmanager
def short_process() -> Iterator[None]:
    """Collect rarely, and not at the end of the process."""
    collect_rarely()
    try:
        yield
    finally:
        gc.freeze()

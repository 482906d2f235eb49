"""Results that stand for a run or a sweep in a call, because they know its directory."""

from pathlib import Path
from typing import Protocol, runtime_checkable


@runtime_checkable
class HasDirectory(Protocol):
    """A result with a directory, such as that of `csvision.train`, `baseline` or `sweep`."""

    @property
    def directory(self) -> Path:
        """The directory of the run or the sweep."""

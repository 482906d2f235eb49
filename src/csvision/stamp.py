"""Names of directories that no other run has."""

from datetime import datetime


def stamp() -> str:
    """The present moment to the microsecond, as it stands in names of directories."""
    return datetime.now().strftime("%Y-%m-%d_%H-%M-%S.%f")

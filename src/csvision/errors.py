"""What a user can do wrong, told so that it can be put right."""

from collections.abc import Iterable


class UserError(ValueError):
    """A mistake of the user's: every fault is a line that says what is wrong, where, what to do.

    Entry points print the faults without a traceback and end with exit code 2.
    """

    def __init__(self, faults: str | Iterable[str]) -> None:
        self.faults = [faults] if isinstance(faults, str) else list(faults)
        super().__init__("\n".join(self.faults))


class ConfigError(UserError):
    """A value of the configuration that cannot work; a fault names the key."""


class DataError(UserError):
    """A file of images that cannot be used; a fault names file, row and column."""


class RunError(UserError):
    """A run directory that is none, is taken, or lacks what was asked of it."""


class DivergedError(RunError):
    """A fit whose loss became NaN or infinite."""

"""Errors that a user can cause and fix."""

from collections.abc import Iterable


class UserError(ValueError):
    """A mistake of the user; each message says where it is, what is wrong and how to fix it.

    The command line prints the messages without a traceback and exits with code 2.
    """

    def __init__(self, messages: str | Iterable[str]) -> None:
        self.messages = [messages] if isinstance(messages, str) else list(messages)
        super().__init__("\n".join(self.messages))


class ConfigError(UserError):
    """An invalid value in the configuration; each message names the key."""


class DataError(UserError):
    """An invalid data file; each message names file, row and column."""


class RunError(UserError):
    """Not a run directory, already in use, or missing a required file."""


class DivergedError(RuntimeError):
    """A loss, the weights or the outputs of the network are NaN or infinite."""


class PrunedError(Exception):
    """A trial of a search was stopped early, because others were better; this is no failure."""


def first_line(error: BaseException) -> str:
    """Return the first line of the message of an exception."""
    return str(error).partition("\n")[0]

"""The trials of a search on the disk: a journal of Optuna that several processes share.

A journal is safer than SQLite on network file systems. Nothing in it is executed.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import optuna
from filelock import FileLock
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend, JournalFileOpenLock

from csvision.errors import RunError, first_line

JOURNAL = "study.journal"


class JournalLock(JournalFileOpenLock):
    """A lock that the system releases if its process is killed; Optuna's own would remain."""

    def __init__(self, journal: Path) -> None:
        super().__init__(str(journal))
        self.lock = FileLock(journal.with_name(f".{journal.name}.lock"))

    def acquire(self) -> bool:
        """Wait for the lock."""
        self.lock.acquire()
        return True

    def release(self) -> None:
        """Release the lock."""
        self.lock.release()


def open_storage(folder: Path) -> JournalStorage:
    """Return the storage of a search; raises RunError if its journal cannot be read.

    The last line of a process that was killed while it wrote is removed.
    """
    journal = folder / JOURNAL
    lock = JournalLock(journal)
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    with report_damage(folder):
        lock.acquire()
        try:
            remove_incomplete_line(journal)
        finally:
            lock.release()
        return JournalStorage(JournalFileBackend(str(journal), lock_obj=lock))


def remove_incomplete_line(journal: Path) -> None:
    """Truncate a journal after its last complete line; raises OSError if it cannot be changed."""
    if not journal.exists():
        return
    with journal.open("rb+") as file:
        content = file.read()
        complete = content.rfind(b"\n") + 1
        if complete < len(content):
            file.truncate(complete)
            os.fsync(file.fileno())


@contextmanager
def report_damage(folder: Path) -> Iterator[None]:
    """Turn what Optuna raises for a damaged journal into a RunError of one line."""
    journal = folder / JOURNAL
    try:
        yield
    except OSError as error:
        raise RunError(f"{journal} cannot be used: {error.strerror}") from error
    # Optuna validates no entry, so that each type of error is possible.
    except (ArithmeticError, AssertionError, AttributeError, LookupError, TypeError) as error:
        raise damage_error(journal, error) from error
    except ValueError as error:
        if isinstance(error, RunError):
            raise
        raise damage_error(journal, error) from error


def damage_error(journal: Path, error: Exception) -> RunError:
    """Say that a journal is damaged, and that the trials in it are not lost."""
    reason = first_line(error) or type(error).__name__
    return RunError(
        f"{journal} is damaged: {reason}; the folders of its trials are intact; start a new search"
    )

"""Translate errors of disk and memory during a run to one line."""

import errno
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch

from csvision.command_hints import command_line
from csvision.errors import RunError, first_line
from csvision.models.user_code import raised_in_user_code
from csvision.run.directory import RunDirectory

DISK_ERRNOS = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EIO)

OOM_MESSAGES = ("out of memory", "can't allocate memory", "not enough memory")
"""Messages of torch about memory; its devices have no common class of errors."""


@contextmanager
def translate_system_errors(run_dir: RunDirectory, batch_size: int, *code: Any) -> Iterator[None]:
    """Convert errors of the run's disk, and of memory, to RunError.

    Other errors, and those of files that the user's own code opens, are not changed.
    """
    try:
        with suppress_thread_tracebacks(run_dir, *code):
            yield
    except OSError as error:
        if message := disk_error(error, run_dir, *code):
            raise RunError(message) from error
        raise
    except (RuntimeError, MemoryError) as error:
        if isinstance(error, MemoryError | torch.OutOfMemoryError) or any(
            words in str(error) for words in OOM_MESSAGES
        ):
            raise RunError(
                f"batch_size={batch_size} does not fit into memory; reduce it ({first_line(error)})"
            ) from error
        raise


@contextmanager
def suppress_thread_tracebacks(run_dir: RunDirectory, *code: Any) -> Iterator[None]:
    """Print no traceback of TensorBoard's thread about the disk: its next call raises the error."""
    before = threading.excepthook

    def hook(arguments: threading.ExceptHookArgs) -> None:
        error = arguments.exc_value
        if not (isinstance(error, OSError) and disk_error(error, run_dir, *code)):
            before(arguments)

    threading.excepthook = hook
    try:
        yield
    finally:
        threading.excepthook = before


def disk_error(error: OSError, run_dir: RunDirectory, *code: Any) -> str:
    """Describe an error of the disk of a run; empty if the error has another cause."""
    if raised_in_user_code(error, *code):
        return ""
    if not run_dir.manifest.exists():
        return f"{run_dir.path} was deleted during the run; start the run again"
    in_run = error.filename is not None and is_inside(Path(str(error.filename)), run_dir.path)
    if error.errno in DISK_ERRNOS or in_run:
        return (
            f"{run_dir.path} cannot be written: {error.strerror}; existing files are kept: "
            f"free some space, then: {command_line('resume', f'run={run_dir.path}')}"
        )
    return ""


def is_inside(path: Path, folder: Path) -> bool:
    """Return whether a path is inside a folder."""
    return path.absolute().is_relative_to(folder.absolute())

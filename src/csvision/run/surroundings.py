"""What can fail around a run without a fault of csvision: disks and memory, told in one line."""

import errno
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from shlex import quote

import torch

from csvision.errors import RunError
from csvision.run.directory import RunDirectory

NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EIO)

NO_MEMORY = ("out of memory", "can't allocate memory", "not enough memory")
"""What torch says on its devices, which have no class of error in common."""


@contextmanager
def surroundings_told(run: RunDirectory, batch_size: int) -> Iterator[None]:
    """Turn errors of the disk below a run, and of memory, into RunError."""
    try:
        with threads_quiet(run):
            yield
    except OSError as error:
        if fault := disk_fault(error, run):
            raise RunError(fault) from error
        raise
    except (RuntimeError, MemoryError) as error:
        if isinstance(error, MemoryError | torch.OutOfMemoryError) or any(
            words in str(error) for words in NO_MEMORY
        ):
            raise RunError(
                f"batch_size={batch_size} does not fit into memory; write a smaller one "
                f"({str(error).partition(chr(10))[0]})"
            ) from error
        raise


@contextmanager
def threads_quiet(run: RunDirectory) -> Iterator[None]:
    """Print no traceback of TensorBoard's thread about the disk: its next call raises the error."""
    before = threading.excepthook

    def hook(arguments: threading.ExceptHookArgs) -> None:
        error = arguments.exc_value
        if not (isinstance(error, OSError) and disk_fault(error, run)):
            before(arguments)

    threading.excepthook = hook
    try:
        yield
    finally:
        threading.excepthook = before


def disk_fault(error: OSError, run: RunDirectory) -> str:
    """What an error says of the disk that a run is on; empty when it is about something else."""
    if not run.manifest.exists():
        return f"{run.path} was taken away while the run was under way; start it again"
    below = error.filename is not None and is_below(Path(str(error.filename)), run.path)
    if error.errno in NO_ROOM or below:
        return (
            f"{run.path} cannot be written: {error.strerror}; what is there stays: make room, then "
            f"python scripts/resume.py {quote(f'run={run.path}')}"
        )
    return ""


def is_below(path: Path, folder: Path) -> bool:
    """Whether a path lies inside a folder."""
    return path.absolute().is_relative_to(folder.absolute())

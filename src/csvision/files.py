"""Write files completely or not at all, and name them by time."""

import json
import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO

from csvision.errors import RunError

RUN_FILES = ("run.json", "multirun.yaml", "sweep.json", "search.json")
"""The files by which folders of runs, sweeps and searches are recognized."""


@contextmanager
def replace_file(path: Path) -> Iterator[BinaryIO]:
    """Open a file that replaces `path` when it is complete; without an error, it is on the disk.

    Raises OSError if it cannot be written; then, `path` is unchanged.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with temporary.open("wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


@contextmanager
def results_dir(path: Path) -> Iterator[Path]:
    """Create a folder for results; after an error, remove it if it was created and is empty.

    Raises RunError if it cannot be created.
    """
    existed = path.exists()
    make_dir(path)
    try:
        yield path
    except BaseException:
        if not existed:
            with suppress(OSError):
                path.rmdir()
        raise


@contextmanager
def new_dir(path: Path) -> Iterator[Path]:
    """Create a folder that appears at `path` when it is complete, and not at all after an error.

    Yields its path until then. Raises RunError if the folder around it cannot be created.
    """
    with results_dir(path.parent) as parent:
        unfinished = Path(tempfile.mkdtemp(prefix=f".{path.name}.", dir=parent))
        try:
            yield unfinished
            # mkdtemp gives no other user access.
            unfinished.chmod(stat.S_IMODE(parent.stat().st_mode))
            unfinished.rename(path)
        except BaseException:
            shutil.rmtree(unfinished, ignore_errors=True)
            raise


def write_json(path: Path, content: Any) -> None:
    """Write a JSON file completely or not at all; raises OSError if it cannot be written.

    Raises ValueError for NaN and infinite numbers, which JSON does not have.
    """
    text = json.dumps(content, indent=2, allow_nan=False) + "\n"
    with replace_file(path) as file:
        file.write(text.encode())


def make_dir(path: Path) -> Path:
    """Create a folder for results; raises RunError if it cannot be created."""
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise RunError(
            f"{path}: cannot create this folder for the results: {error.strerror}; "
            "choose another one with output_dir"
        ) from error
    return path


def is_inner_path(path: Path) -> bool:
    """Return whether a relative path names a place below the folder that it starts from."""
    return bool(path.parts) and not path.is_absolute() and ".." not in path.parts


def result_name(source: str, suffix: str) -> str:
    """Return a new name for a result about a data file: the start of its name, and the time."""
    # With at most 4 bytes per character, no name is longer than file systems allow.
    return f"{Path(source).name.split('.')[0][:50]}_{timestamp()}{suffix}"


def timestamp() -> str:
    """Return the current time to the microsecond, for names of directories."""
    return datetime.now().strftime("%Y-%m-%d_%H-%M-%S.%f")


def iso_time() -> str:
    """Return the current time with its time zone, for the contents of files."""
    return datetime.now().astimezone().isoformat()

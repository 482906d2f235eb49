"""Trust files only if no other user can have written them."""

import os
import shutil
import stat
from pathlib import Path

WRITABLE_BY_OTHERS = stat.S_IWGRP | stat.S_IWOTH


def make_private_dir(folder: Path) -> None:
    """Create a folder for this user alone; raises OSError if another user can write to it."""
    folder.mkdir(mode=stat.S_IRWXU, parents=True, exist_ok=True)
    status = folder.stat()
    if status.st_uid != os.geteuid():
        raise PermissionError("it belongs to another user")
    if status.st_mode & WRITABLE_BY_OTHERS:
        raise PermissionError("other users can write to it; chmod go-w allows its use")


def is_private(folder: Path) -> bool:
    """Return whether a folder is this user's alone, and its files are no symbolic links.

    Raises OSError if this cannot be found out.
    """
    status = folder.lstat()
    return (
        stat.S_ISDIR(status.st_mode)
        and status.st_uid == os.geteuid()
        and not status.st_mode & WRITABLE_BY_OTHERS
        and all(is_own_file(path.lstat()) for path in folder.iterdir())
    )


def is_own_file(status: os.stat_result) -> bool:
    """Return whether a path is a regular file of this user."""
    return stat.S_ISREG(status.st_mode) and status.st_uid == os.geteuid()


def remove_dir(folder: Path) -> None:
    """Delete a folder, or a symbolic link in its place; raises OSError."""
    if folder.is_symlink():
        folder.unlink()
    else:
        shutil.rmtree(folder)

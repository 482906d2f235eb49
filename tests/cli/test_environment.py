"""Variables, limits and current folder of the command."""

import errno
import os
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from csvision.cli.environment import check_environment, limit_error, remove_library_variables
from csvision.errors import UserError


@contextmanager
def limited(limit: int, value: int) -> Iterator[None]:
    """Lower a limit of this process."""
    soft, hard = resource.getrlimit(limit)
    resource.setrlimit(limit, (value, hard))
    try:
        yield
    finally:
        resource.setrlimit(limit, (soft, hard))


def test_low_limit_is_refused() -> None:
    check_environment()
    with limited(resource.RLIMIT_NOFILE, 31), pytest.raises(UserError, match=r"ulimit -n.* 32"):
        check_environment()


def test_deleted_current_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "gone").mkdir()
    os.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    with pytest.raises(UserError, match="the current folder: No such file"):
        check_environment()


def test_variables_of_libraries_are_removed_and_others_kept(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    names = {"MPLBACKEND", "TQDM_DISABLE", "TORCH_LOGS", "MPLCONFIGDIR", "TORCH_HOME"}
    for name in names:
        monkeypatch.setenv(name, "value")
    remove_library_variables()
    assert names & {*os.environ} == {"MPLCONFIGDIR", "TORCH_HOME"}


@pytest.mark.parametrize(("value", "kept"), [("2", True), ("0", False), ("junk", False)])
def test_limit_of_polars_threads_is_kept_if_it_is_valid(
    value: str, kept: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("POLARS_MAX_THREADS", value)
    remove_library_variables()
    assert ("POLARS_MAX_THREADS" in os.environ) is kept


def caused_by(cause: BaseException) -> Exception:
    error = ImportError("torch cannot be imported")
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (MemoryError(), "ulimit -v"),
        (OSError(errno.EMFILE, "Too many open files", "a.csv"), "a.csv: Too many open files; "),
        (OSError(errno.ENOSPC, "No space left on device"), "No space left on device; "),
        (RuntimeError("can't start new thread"), "can't start new thread; "),
        (ImportError("\nHelp:\nlibx.so: failed to map segment\n"), "libx.so: failed to map seg"),
        (caused_by(MemoryError()), "not enough memory"),
    ],
)
def test_errors_of_limits_are_described_in_one_line(error: Exception, words: str) -> None:
    message = limit_error(error)
    assert words in message
    assert "\n" not in message


@pytest.mark.parametrize(
    "error",
    [OSError(errno.ENOENT, "No such file", "a.csv"), RuntimeError("a bug"), ValueError("memory")],
)
def test_other_errors_are_not_described(error: Exception) -> None:
    error.__context__ = MemoryError()
    assert limit_error(error) == ""

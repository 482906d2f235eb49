"""Check the environment of the command: variables, limits of the system, the current folder."""

import errno
import os
import resource
import sysconfig
from pathlib import Path
from traceback import extract_tb

from csvision.errors import UserError

SOURCE = Path(__file__).resolve().parents[2]
OWN_PACKAGES = [SOURCE / name for name in ("csvision", "csvision_claims")]
LIBRARIES = [Path(sysconfig.get_path(key)).resolve() for key in ("stdlib", "purelib", "platlib")]

LIBRARY_VARIABLES = ("MPLBACKEND", "POLARS_", "TORCH_FORCE_", "TORCH_LOGS", "TQDM_")
"""The start of variables by which libraries would fail, or change what the command prints."""

MIN_ADDRESS_SPACE = 2 << 30
MIN_OPEN_FILES = 32
"""Below these limits, libraries end the process or wait forever while they are imported."""

LIMIT_ERRNOS = (
    errno.EDQUOT,
    errno.EFBIG,
    errno.EMFILE,
    errno.ENFILE,
    errno.ENOMEM,
    errno.ENOSPC,
)

LIMIT_MESSAGES = (
    "an't start new thread",
    "annot allocate memory",
    "failed to map segment",
    "Too many open files",
)
"""Messages of errors without errno: of threads, and of libraries that cannot be loaded."""


def remove_library_variables() -> None:
    """Remove environment variables of libraries that would disturb the command."""
    for name, value in list(os.environ.items()):
        if name.startswith(LIBRARY_VARIABLES) and not is_thread_limit(name, value):
            del os.environ[name]


def is_thread_limit(name: str, value: str) -> bool:
    """Return whether a variable is a valid limit of the threads of Polars, which cannot be 0."""
    return name == "POLARS_MAX_THREADS" and value.isdecimal() and int(value) > 0


def check_environment() -> None:
    """Raise UserError if the current folder is gone or a limit of the process is too low."""
    try:
        os.getcwd()  # noqa: PTH109 (Path.cwd() raises the same error)
    except OSError as error:
        raise UserError(f"the current folder: {error.strerror}; change to another one") from error
    for limit, minimum, option in (
        (resource.RLIMIT_AS, MIN_ADDRESS_SPACE, "-v"),
        (resource.RLIMIT_NOFILE, MIN_OPEN_FILES, "-n"),
    ):
        current, _ = resource.getrlimit(limit)
        if current != resource.RLIM_INFINITY and current < minimum:
            value = minimum >> 10 if option == "-v" else minimum
            raise UserError(f"ulimit {option} is too low: csvision needs {value}")


def limit_error(error: BaseException | None) -> str:
    """Describe an error that a limit of the system has caused; empty for other errors.

    Returns an empty string, too, for an error raised by the user's code, such as a custom network.
    """
    if error is None or is_raised_by_user_code(error):
        return ""
    match error:
        case MemoryError():
            return "not enough memory; free some, or raise ulimit -v"
        case OSError(errno=number) if number in LIMIT_ERRNOS:
            place = f"{error.filename}: " if error.filename else ""
            return f"{place}{error.strerror}; free some space, or raise the limit (ulimit -a)"
        case ImportError() | OSError() | RuntimeError():
            for line in str(error).splitlines():
                if any(words in line for words in LIMIT_MESSAGES):
                    return f"{line}; raise the limit (ulimit -a)"
    return limit_error(error.__cause__)


def is_raised_by_user_code(error: BaseException) -> bool:
    """Return whether code that is neither csvision's nor that of a library has raised an error."""
    for frame in reversed(extract_tb(error.__traceback__)):
        path = Path(frame.filename)
        if any(path.resolve().is_relative_to(package) for package in OWN_PACKAGES):
            return False
        if path.is_file() and not any(path.resolve().is_relative_to(other) for other in LIBRARIES):
            return True
    return False

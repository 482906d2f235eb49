"""Keep a command independent of its console: results are in files, messages in train.log."""

import codecs
import io
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, TextIO, cast

ESCAPE_CHARACTERS = "csvision.escape_characters"
"""The name by which Python finds `escape_characters`."""


def escape_characters(error: UnicodeError) -> tuple[str | bytes, int]:
    """Return the bytes of a file name that is not valid text, and escapes of other characters."""
    try:
        return codecs.lookup_error("surrogateescape")(error)
    except UnicodeError:
        return codecs.lookup_error("backslashreplace")(error)


codecs.register_error(ESCAPE_CHARACTERS, escape_characters)


class ConsoleStream:
    """A standard stream that raises no OSError: after the first one, output is discarded.

    An error other than a closed pipe is reported once on `report`. Characters that the stream
    cannot encode are escaped, except the bytes of file names.
    """

    def __init__(self, stream: TextIO, name: str, report: TextIO | None) -> None:
        self.stream = stream
        self.name = name
        self.report = report
        self.failed = False
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors=ESCAPE_CHARACTERS, line_buffering=True)

    def write(self, text: str) -> int:
        """Write text; return its length."""
        try:
            return self.stream.write(text)
        except OSError as error:
            self.discard(error)
            return len(text)

    def flush(self) -> None:
        """Write what is buffered."""
        try:
            self.stream.flush()
        except OSError as error:
            self.discard(error)

    def discard(self, error: OSError) -> None:
        """Connect the stream to the null device, where its buffer can be written, too."""
        with suppress(OSError, ValueError):
            null = os.open(os.devnull, os.O_WRONLY)
            os.dup2(null, self.stream.fileno())
            os.close(null)
        if self.report is not None and not (self.failed or isinstance(error, BrokenPipeError)):
            print(f"warning: {self.name} cannot be written: {error.strerror}", file=self.report)
        self.failed = True

    def __getattr__(self, name: str) -> Any:
        return getattr(self.stream, name)


@contextmanager
def use_safe_console() -> Iterator[None]:
    """Replace sys.stdout and sys.stderr by streams that raise no OSError, closed ones included."""
    open_closed_descriptors()
    before = sys.stdout, sys.stderr
    null = open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123, SIM115 (closed below)
    # Python has no stream for a descriptor that was closed when it started.
    errors = ConsoleStream(sys.stderr or null, "standard error", None)
    output = ConsoleStream(sys.stdout or null, "standard output", cast(TextIO, errors))
    sys.stdout, sys.stderr = cast(TextIO, output), cast(TextIO, errors)
    try:
        yield
    finally:
        output.flush()
        errors.flush()
        sys.stdout, sys.stderr = before
        null.close()


def open_closed_descriptors() -> None:
    """Open the null device for each closed standard stream.

    Otherwise, the next file that is opened would get its number, and what a library prints.
    """
    for descriptor in range(3):
        try:
            os.fstat(descriptor)
        except OSError:
            # Worker processes need it, too.
            os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)

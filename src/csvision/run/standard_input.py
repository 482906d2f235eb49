"""Read a data file from standard input.

Columns and range of the pixels are decided by the whole file, which is read several times. It is
therefore copied to a disk first, not into memory.
"""

import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from csvision.data.open_source import resolve_path
from csvision.errors import DataError

STANDARD_INPUT = "-"
"""The value of data.csv that names it."""

NAME = "stdin"
BLOCK_BYTES = 1 << 20


@contextmanager
def open_path(csv: str, folder: Path) -> Iterator[Path]:
    """Yield the path of a data file; of standard input, that of a temporary copy in `folder`.

    Raises DataError if the file does not exist. Messages of a DataError name standard input, not
    its copy.
    """
    if csv != STANDARD_INPUT:
        yield resolve_path(csv)
        return
    stream = getattr(sys.stdin, "buffer", None)
    if stream is None:
        raise DataError(f"data.csv={csv}: there is no standard input; write data.csv=FILE")
    with tempfile.NamedTemporaryFile(prefix=".standard_input.", dir=folder) as file:
        shutil.copyfileobj(stream, file, BLOCK_BYTES)
        file.flush()
        try:
            yield resolve_path(file.name)
        except DataError as error:
            messages = [message.replace(file.name, NAME) for message in error.messages]
            raise DataError(messages) from error


def display_name(csv: str) -> str:
    """Return how messages name a data file."""
    return NAME if csv == STANDARD_INPUT else csv

"""Find data files, decompress them and read them in chunks of rows."""

import csv
import gzip
import io
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.resources import files
from math import inf
from pathlib import Path

import polars
import zstandard

from csvision.command_hints import command_line
from csvision.config.schema import BUNDLED
from csvision.data.chunks import Chunk, CSVChunk, ParquetChunk
from csvision.data.zstandard_file import ZstandardFile
from csvision.errors import DataError, first_line

CHUNK_BYTES = 16 << 20
MAX_LINE_BYTES = 64 << 20

GIB = 1 << 30

COMPRESSED_SUFFIXES = (".gz", ".zst", ".parquet")

READ_ERRORS = (OSError, EOFError, zlib.error, zstandard.ZstdError, polars.exceptions.PolarsError)
"""The exceptions that are raised while a damaged file is read."""

NUMERIC_NAME = re.compile(r"\s*[-+]?\d+(\.\d*)?\s*")

HEADER_HINT = "add a header such as label,pixel1,..."


@dataclass(frozen=True)
class DataFile:
    """A data file, and its largest allowed size in bytes after decompression."""

    path: Path
    max_decompressed_bytes: float = inf

    def __str__(self) -> str:
        return str(self.path)

    def check_decompressed_size(self, size: int) -> None:
        """Raise DataError if a compressed file has more than the allowed size."""
        compressed = self.path.suffix.lower() in COMPRESSED_SUFFIXES
        if compressed and size > self.max_decompressed_bytes:
            raise DataError(
                f"{self}: decompresses to more than {self.max_decompressed_bytes / GIB:g} GiB; "
                "set data.max_decompressed_gib to a larger value if that is expected"
            )


def resolve_path(source: str) -> Path:
    """Return the path of the file that `data.csv` names; raises DataError if it does not exist."""
    if source == BUNDLED:
        return Path(str(files("csvision.data") / "bundled" / "fmnist_small.csv.gz"))
    try:
        path = Path(source).expanduser()
        if path.is_dir():
            raise DataError(f"{path}: is a folder; choose a data file")
        if not path.exists():
            hint = "check data.csv"
            if "fashion_mnist" in source:
                hint = f"create it with {command_line('prepare-fashion-mnist')}"
            raise DataError(f"{path}: file not found; {hint}")
        if not path.is_file():
            raise DataError(
                f"{path}: is a pipe or a device, not a file, and cannot be read twice; "
                "save the data in a file"
            )
        size = path.stat().st_size
    except (OSError, RuntimeError) as error:
        # For example a name that is too long, or the home folder of an unknown user.
        raise DataError(f"{source}: not a valid path ({error}); check data.csv") from error
    if size == 0:
        raise DataError(f"{path}: the file is empty; it needs a header and one row per image")
    return path


def is_parquet(path: Path) -> bool:
    """Return whether a file is a Parquet file, by its suffix."""
    return path.suffix.lower() == ".parquet"


def open_decompressed(path: Path) -> io.BufferedIOBase:
    """Open a file for reading its decompressed bytes."""
    match path.suffix.lower():
        case ".gz":
            return gzip.open(path, "rb")
        case ".zst":
            return io.BufferedReader(ZstandardFile(path))
        case _:
            return path.open("rb")


def read_names(path: Path) -> list[str]:
    """Return the names of the columns; raises DataError if there is no header."""
    try:
        if is_parquet(path):
            return list(polars.read_parquet_schema(path))
        with open_decompressed(path) as file:
            line, _ = split_header(file)
        names = next(csv.reader([line.decode("utf-8-sig")], strict=True), [])
    except UnicodeDecodeError as error:
        raise DataError(f"{path}, line 1: not valid UTF-8; save the file as UTF-8") from error
    except (*READ_ERRORS, csv.Error) as error:
        raise DataError(f"{path}: cannot be read: {first_line(error)}") from error
    if not names:
        raise DataError(f"{path}, line 1: the line is empty; {HEADER_HINT}")
    numbered = [*map(str, range(len(names)))]
    if all(NUMERIC_NAME.fullmatch(name) for name in names) and names != numbered:
        raise DataError(f"{path}, line 1: contains numbers only; {HEADER_HINT}")
    return names


def read_chunks(file: DataFile) -> Iterator[Chunk]:
    """Yield the rows below the header in chunks of some MiB.

    Raises the exceptions in READ_ERRORS, and DataError if the file is too large.
    """
    if is_parquet(file.path):
        yield from read_parquet_chunks(file)
    else:
        yield from read_csv_chunks(file)


def read_csv_chunks(file: DataFile) -> Iterator[CSVChunk]:
    """Yield chunks of complete lines of a CSV file."""
    with open_decompressed(file.path) as opened:
        _, content = split_header(opened)
        line, size = 2, 0
        while block := opened.read(CHUNK_BYTES):
            content = content + block + read_to_eol(opened)
            size += len(content)
            file.check_decompressed_size(size)
            yield CSVChunk(line, content)
            line += content.count(b"\n")
            content = b""
        if content:
            yield CSVChunk(line, content)


def read_to_eol(file: io.BufferedIOBase) -> bytes:
    """Return the bytes up to the end of the line; raises EOFError if the line is too long."""
    rest = file.readline(MAX_LINE_BYTES)
    if len(rest) == MAX_LINE_BYTES:
        raise EOFError(f"a line is longer than {MAX_LINE_BYTES >> 20} MiB")
    return rest


def split_header(file: io.BufferedIOBase) -> tuple[bytes, bytes]:
    """Return the first line, and the bytes that were read after it.

    readline stops at LF only, so it returns all rows of a file whose lines end with CR.
    """
    header, _, rest = read_to_eol(file).partition(b"\r")
    return header.rstrip(b"\n"), b"" if rest == b"\n" else rest


def read_parquet_chunks(file: DataFile) -> Iterator[ParquetChunk]:
    """Yield chunks of rows of a Parquet file; a cell counts as eight bytes."""
    frame = polars.scan_parquet(file.path)
    rows = frame.select(polars.len()).collect().item()
    row_bytes = 8 * len(frame.collect_schema())
    file.check_decompressed_size(rows * row_bytes)
    step = max(1, CHUNK_BYTES // row_bytes)
    for start in range(0, rows, step):
        yield ParquetChunk(start, frame.slice(start, step).collect())

"""Files of images, opened and cut into pieces of rows, whatever they are packed with."""

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
from typing import BinaryIO, cast

import numpy as np
import polars
import zstandard

from csvision.data.pieces import Piece, TablePiece, TextPiece
from csvision.data.zstandard_file import ZstandardFile
from csvision.errors import DataError
from csvision.schema import EMBEDDED

PIECE_BYTES = 16 << 20
LONGEST_LINE = 64 << 20
COUNTED_BYTES = 1 << 18
LINE_FEED = ord("\n")

GIB = 1 << 30

PACKED = (".gz", ".zst", ".parquet")

READ_ERRORS = (OSError, EOFError, zlib.error, zstandard.ZstdError, polars.exceptions.PolarsError)
"""What reading a damaged file raises."""


@dataclass(frozen=True)
class ImageFile:
    """A file of images, and the most bytes that it may unpack to if it is packed."""

    path: Path
    unpacked_limit: float = inf

    def __str__(self) -> str:
        return str(self.path)

    def refuse_bomb(self, size: int) -> None:
        """Raise DataError for a packed file of that size unpacked when it is above the limit."""
        packed = self.path.suffix.lower() in PACKED
        if packed and size > self.unpacked_limit:
            raise DataError(
                f"{self} unpacks to more than {self.unpacked_limit / GIB:g} GiB; if that is what "
                "you expect of it, write a larger data.unpacked_gib"
            )


def source_path(source: str) -> Path:
    """The file that `data.csv` names; raises DataError when there is none to be read."""
    if source == EMBEDDED:
        return Path(str(files("csvision.data") / "embedded" / "fmnist_small.csv.gz"))
    try:
        path = Path(source).expanduser()
        if path.is_dir():
            raise DataError(f"{path} is a folder; name a file of images")
        if not path.exists():
            hint = "python scripts/fashion_mnist.py makes it" if "fashion_mnist" in source else ""
            raise DataError(f"{path}: there is no such file; {hint or 'check data.csv'}")
        size = path.stat().st_size
    except (OSError, RuntimeError) as error:
        # A name that is too long, the home of a user that does not exist.
        raise DataError(f"{source}: there can be no such file ({error}); check data.csv") from error
    if size == 0:
        raise DataError(f"{path} is empty; a header and one row an image are needed")
    return path


def is_parquet(path: Path) -> bool:
    """Whether a file is a table of typed columns and no text."""
    return path.suffix.lower() == ".parquet"


def open_unpacked(path: Path) -> BinaryIO:
    """The bytes of a CSV file without its packing."""
    match path.suffix.lower():
        case ".gz":
            return cast(BinaryIO, gzip.open(path, "rb"))
        case ".zst":
            return io.BufferedReader(ZstandardFile(path))
        case _:
            return path.open("rb")


def read_names(path: Path) -> list[str]:
    """The names of the columns; raises DataError when there is no header."""
    try:
        if is_parquet(path):
            return list(polars.read_parquet_schema(path))
        with open_unpacked(path) as file:
            line, _ = split_header(file)
        names = next(csv.reader([line.decode("utf-8-sig")], strict=True), [])
    except UnicodeDecodeError as error:
        raise DataError(f"{path}, line 1 is no UTF-8 text; save the file as UTF-8") from error
    except (*READ_ERRORS, csv.Error) as error:
        raise DataError(f"{path} cannot be read: {first_line(error)}") from error
    if not names:
        raise DataError(f"{path}, line 1 is empty; a header such as label,pixel1,... is needed")
    numbered = [*map(str, range(len(names)))]
    if all(re.fullmatch(r"\s*[-+]?\d+(\.\d*)?\s*", name) for name in names) and names != numbered:
        raise DataError(
            f"{path}, line 1 holds numbers; a header such as label,pixel1,... is needed"
        )
    return names


def read_pieces(file: ImageFile) -> Iterator[Piece]:
    """The rows below the header in pieces of some MiB.

    Raises what READ_ERRORS lists, and DataError for a file or a line that is too large.
    """
    if is_parquet(file.path):
        yield from read_table_pieces(file)
    else:
        yield from read_text_pieces(file)


def read_text_pieces(file: ImageFile) -> Iterator[TextPiece]:
    """Whole lines of a CSV file."""
    with open_unpacked(file.path) as opened:
        _, content = split_header(opened)
        line, size = 2, 0
        while read := opened.read(PIECE_BYTES):
            content = content + read + rest_of_line(opened)
            size += len(content)
            file.refuse_bomb(size)
            yield TextPiece(line, content)
            line += count_lines(content)
            content = b""
        if content:
            yield TextPiece(line, content)


def rest_of_line(opened: BinaryIO) -> bytes:
    """The bytes up to the end of a line; raises EOFError for one that does not end in time."""
    rest = opened.readline(LONGEST_LINE)
    if len(rest) == LONGEST_LINE:
        raise EOFError(f"a line is longer than {LONGEST_LINE >> 20} MiB")
    return rest


def count_lines(content: bytes) -> int:
    """The line feeds in a text; numpy counts small parts of it twice as fast as bytes.count."""
    signs = np.frombuffer(content, np.uint8)
    parts = range(0, len(signs), COUNTED_BYTES)
    return sum(int(np.count_nonzero(signs[i : i + COUNTED_BYTES] == LINE_FEED)) for i in parts)


def split_header(file: BinaryIO) -> tuple[bytes, bytes]:
    """The first line, and what came with it of the next where lines end in a bare CR."""
    header, _, rest = rest_of_line(file).partition(b"\r")
    return header.rstrip(b"\n"), b"" if rest == b"\n" else rest


def read_table_pieces(file: ImageFile) -> Iterator[TablePiece]:
    """Rows of a Parquet file, whose cells come to eight bytes each."""
    table = polars.scan_parquet(file.path)
    rows = table.select(polars.len()).collect().item()
    row_bytes = 8 * len(table.collect_schema())
    file.refuse_bomb(rows * row_bytes)
    step = max(1, PIECE_BYTES // row_bytes)
    for start in range(0, rows, step):
        yield TablePiece(start, table.slice(start, step).collect())


def first_line(error: BaseException) -> str:
    """The first line of what an error says."""
    return str(error).partition("\n")[0]

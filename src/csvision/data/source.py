"""Files of images as pieces of consecutive rows, whatever they are packed with."""

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
from typing import Any, BinaryIO, cast

import numpy as np
import polars
import zstandard

from csvision.data.zstandard_file import ZstandardFile
from csvision.errors import DataError
from csvision.schema import EMBEDDED

PIECE_BYTES = 16 << 20
LONGEST_LINE = 64 << 20
COUNTED_BYTES = 1 << 18
LINE_FEED = ord("\n")

Types = dict[str, Any]
"""A polars type for each name of a column."""

BLANK_LINES = re.compile(rb"^\r?\n", re.MULTILINE)

GIB = 1 << 30

PACKED = (".gz", ".zst", ".parquet")

READ_ERRORS = (OSError, EOFError, zlib.error, zstandard.ZstdError, polars.exceptions.PolarsError)
"""What reading a damaged file raises."""

Row = tuple[str, list[str] | csv.Error]
"""A row's place in its file, and its cells or why it has none."""


@dataclass(frozen=True)
class TextPiece:
    """Lines of a CSV file; `start` is the number of the first, counted from 1."""

    start: int
    content: bytes

    def table(self, names: list[str], types: Types) -> polars.DataFrame:
        """The cells under the names of the columns; raises PolarsError where they are not of the
        types or not as many as the names."""
        schema = {name: types[name] for name in names}
        # polars reads ""5"" as 5, which is no CSV. One sign is found ten times as fast as two.
        if b'"' in self.content and b'""' in self.content:
            raise polars.exceptions.ComputeError("quotes in a cell")
        # polars overlooks a comma at the very end of a text.
        content = self.content if self.content.endswith(b"\n") else self.content + b"\n"
        return polars.read_csv(content, has_header=False, schema=schema, low_memory=True)

    def without_blank_lines(self) -> "TextPiece":
        """The same rows; their lines cannot be told any more."""
        return TextPiece(self.start, BLANK_LINES.sub(b"", self.content))

    def rows(self) -> Iterator[Row]:
        """Each row that is not blank; bytes that are no UTF-8 come as surrogates."""
        content = io.BytesIO(self.content)
        text = io.TextIOWrapper(content, encoding="utf-8", errors="surrogateescape", newline="")
        reader = csv.reader(text, strict=True)
        while True:
            place = f"line {self.start + reader.line_num}"
            try:
                cells = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                yield place, error
                continue
            if len(cells) > 1 or "".join(cells).strip():
                yield place, cells


@dataclass(frozen=True)
class TablePiece:
    """Rows of a Parquet file; `start` is the number of the first, counted from 0."""

    start: int
    content: polars.DataFrame

    def table(self, names: list[str], types: Types) -> polars.DataFrame:
        """The cells under new names; raises PolarsError where they are not of the types."""
        renamed = self.content.rename(dict(zip(self.content.columns, names, strict=True)))
        result = renamed.cast(types)  # type: ignore[arg-type]
        # A cast to whole numbers cuts fractions off without a word.
        uncut = renamed.select(
            name
            for name, kind in renamed.schema.items()
            if types[name] == polars.UInt8 and (kind.is_float() or kind.is_decimal())
        )
        if not result.select(uncut.columns).cast(uncut.schema).equals(uncut):
            raise polars.exceptions.InvalidOperationError("a cell is no whole number")
        return result

    def without_blank_lines(self) -> "TablePiece":
        """The piece itself, which has no lines."""
        return self

    def rows(self) -> Iterator[Row]:
        """Each row."""
        for index, row in enumerate(self.content.iter_rows()):
            cells = ["" if value is None else str(value) for value in row]
            yield f"row {self.start + index}", cells


Piece = TextPiece | TablePiece


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

"""Read a text file in chunks of lines, whatever its separator, header and packing."""

import csv
import io
import re
from collections.abc import Iterator, Sequence
from math import inf
from pathlib import Path

from csvision.data.chunks import CSVChunk
from csvision.data.dialect import Dialect, Rows, infer_dialect, split_rows
from csvision.data.packing import READ_ERRORS, Packing, find_packing, open_text
from csvision.data.source import Source
from csvision.errors import DataError, first_line

SAMPLE_BYTES = 64 << 10
MIN_SAMPLE_LINES = 5
MAX_LINE_BYTES = 64 << 20

PIXEL_STRING = re.compile(r"\s*[0-9.eE+-]+(?:([ ,;])\s*[0-9.eE+-]+){3,}\s*")
"""A cell with the pixels of a whole image, separated by spaces, commas or semicolons."""


def open_text_source(path: Path, header: str | bool, max_bytes: float = inf) -> Source:
    """Return the columns and chunks of a text file; raises DataError if it cannot be read."""
    sample = read_sample(path, max_bytes)
    dialect = infer_dialect(path, sample, header)
    below = split_rows(sample, dialect.separator)[1 if dialect.has_header else 0 :]
    strings = find_pixel_strings(dialect.names, below)
    num_rows = estimate_rows(path, sample)
    if strings is None:
        return Source(
            path=path,
            names=dialect.names,
            has_header=dialect.has_header,
            read=lambda size: read_csv_chunks(path, dialect, size, max_bytes),
            notices=dialect.notices,
            num_rows=num_rows,
        )
    column, separator, num_pixels = strings
    others = [name for index, name in enumerate(dialect.names) if index != column]
    return Source(
        path=path,
        names=(*others, *(f"pixel{index}" for index in range(num_pixels))),
        has_header=dialect.has_header,
        read=lambda size: split_strings(
            read_csv_chunks(path, dialect, size, max_bytes), column, separator
        ),
        notices=(
            *dialect.notices,
            f"column {dialect.names[column]} has the {num_pixels} pixels of an image in each cell",
        ),
        num_rows=num_rows,
    )


def read_sample(path: Path, max_bytes: float) -> str:
    """Return the first complete lines of a file; raises DataError if they cannot be read."""
    try:
        with open_text(path, max_bytes) as file:
            content = file.read(SAMPLE_BYTES)
            content += read_to_eol(file)
            while content.count(b"\n") < MIN_SAMPLE_LINES and (line := read_to_eol(file)):
                content += line
        check_no_nul(path, content)
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        number = error.object[: error.start].count(b"\n") + 1
        # The rows below the first line are decoded cell by cell, where an error names the column.
        if number > 1:
            return content.decode("utf-8", errors="surrogateescape")
        raise DataError(f"{path}, line 1: not valid UTF-8; save the file as UTF-8") from error
    except READ_ERRORS as error:
        raise DataError(f"{path}: cannot be read: {first_line(error)}") from error


def estimate_rows(path: Path, sample: str) -> int | None:
    """Return about how many rows a file has, by its first lines; None for a compressed file."""
    if find_packing(path) is not Packing.plain:
        return None
    return round(path.stat().st_size * sample.count("\n") / len(sample)) or None


def check_no_nul(path: Path, content: bytes) -> None:
    """Raise DataError if many bytes of the first line are 0: UTF-16 without a byte order mark."""
    first = content.partition(b"\n")[0]
    if 4 * first.count(b"\0") > len(first):
        raise DataError(f"{path}, line 1: not valid UTF-8 (NUL bytes); save the file as UTF-8")


def find_pixel_strings(names: Sequence[str], rows: Rows) -> tuple[int, str, int] | None:
    """Return index, separator and number of pixels of a column with whole images in its cells."""
    complete = [row for row in rows if len(row) == len(names)]
    if not complete:
        return None
    for index in range(len(names)):
        matches = [PIXEL_STRING.fullmatch(row[index]) for row in complete]
        if all(matches) and matches[0] is not None:
            separator = matches[0][1]
            return index, separator, len(split_pixels(complete[0][index], separator))
    return None


def split_pixels(cell: str, separator: str) -> list[str]:
    """Return the pixels in a cell."""
    return cell.split() if separator == " " else cell.split(separator)


def read_csv_chunks(
    path: Path, dialect: Dialect, chunk_bytes: int, max_bytes: float = inf
) -> Iterator[CSVChunk]:
    """Yield chunks of complete lines below the header.

    Raises the exceptions in READ_ERRORS, and DataError if the file is too large.
    """
    with open_text(path, max_bytes) as opened:
        first, content = split_first_line(opened)
        line = 2
        if not dialect.has_header:
            content, line = first + b"\n" + content, 1
            if dialect.repaired_row is not None:
                cells = dialect.separator.join(dialect.repaired_row)
                content = cells.encode() + content[len(first) :]
        while block := opened.read(chunk_bytes):
            content = content + block + read_to_eol(opened)
            yield make_chunk(line, content, dialect.separator)
            line += content.count(b"\n")
            content = b""
        if content:
            yield make_chunk(line, content, dialect.separator)


def make_chunk(line: int, content: bytes, separator: str) -> CSVChunk:
    """Return a chunk in which runs of separating spaces are one space."""
    if separator == " ":
        content = re.sub(rb"[ \t]+", b" ", content)
        content = re.sub(rb"^ | (?=\r?$)", b"", content, flags=re.MULTILINE)
    return CSVChunk(line, content, separator)


def read_to_eol(file: io.BufferedReader) -> bytes:
    """Return the bytes up to the end of the line; raises EOFError if the line is too long."""
    rest = file.readline(MAX_LINE_BYTES)
    if len(rest) == MAX_LINE_BYTES:
        raise EOFError(f"a line is longer than {MAX_LINE_BYTES >> 20} MiB")
    return rest


def split_first_line(file: io.BufferedReader) -> tuple[bytes, bytes]:
    """Return the first line, and the bytes that were read after it.

    readline stops at LF only, so it returns all rows of a file whose lines end with CR.
    """
    first, _, rest = read_to_eol(file).partition(b"\r")
    return first.rstrip(b"\n"), b"" if rest == b"\n" else rest


def split_strings(chunks: Iterator[CSVChunk], column: int, separator: str) -> Iterator[CSVChunk]:
    """Yield chunks in which the pixels of one column have a column each, after the others."""
    for chunk in chunks:
        lines, line = [], chunk.start
        for location, cells in chunk.rows():
            number = int(location.removeprefix("line "))
            lines += [""] * (number - line)
            line = number + 1
            if isinstance(cells, csv.Error) or len(cells) <= column:
                lines.append('"damaged row')
                continue
            text = io.StringIO()
            others = [cell for index, cell in enumerate(cells) if index != column]
            csv.writer(text, lineterminator="").writerow(others)
            pixels = ",".join(split_pixels(cells[column], separator))
            lines.append(f"{text.getvalue()},{pixels}" if others else pixels)
        content = "\n".join([*lines, ""])
        yield CSVChunk(chunk.start, content.encode(errors="surrogateescape"))

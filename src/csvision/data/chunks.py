"""Consecutive rows of a file: as a data frame for the fast parser, as cells for the strict one."""

import csv
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import polars

ColumnTypes = dict[str, Any]
"""The polars type of each column, by its name."""

Row = tuple[str, list[str] | csv.Error]
"""The location of a row in its file, and its cells or the reason why they cannot be read."""

BLANK_LINES = re.compile(rb"^\r?\n", re.MULTILINE)


@dataclass(frozen=True)
class CSVChunk:
    """Consecutive lines of a text file; `start` is the number of the first one, counted from 1."""

    start: int
    content: bytes
    separator: str = ","

    def to_frame(self, names: list[str], types: ColumnTypes) -> polars.DataFrame:
        """Return the cells as a data frame with these column names.

        Raises PolarsError if a cell does not have the type of its column or a row has another
        number of cells.
        """
        schema = {name: types[name] for name in names}
        # polars reads ""5"" as 5, which is invalid CSV. Searching for one character first is ten
        # times as fast as searching for two.
        if b'"' in self.content and b'""' in self.content:
            raise polars.exceptions.ComputeError("quotes in a cell")
        # polars ignores a carriage return at the end of a cell in the middle of a line.
        if b"\r" in self.content and self.content.count(b"\r") > self.content.count(b"\r\n"):
            raise polars.exceptions.ComputeError("carriage return in a line")
        # polars ignores a separator at the very end of a text.
        content = self.content if self.content.endswith(b"\n") else self.content + b"\n"
        return polars.read_csv(
            content, has_header=False, schema=schema, low_memory=True, separator=self.separator
        )

    def without_blank_lines(self) -> "CSVChunk":
        """Return the same rows without blank lines; line numbers are no longer valid."""
        return replace(self, content=BLANK_LINES.sub(b"", self.content))

    def rows(self) -> Iterator[Row]:
        """Yield each row that is not blank; bytes that are not UTF-8 are decoded as surrogates."""
        content = io.BytesIO(self.content)
        text = io.TextIOWrapper(content, encoding="utf-8", errors="surrogateescape", newline="")
        reader = csv.reader(text, strict=True, delimiter=self.separator)
        while True:
            location = f"line {self.start + reader.line_num}"
            try:
                cells = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                yield location, error
                continue
            if len(cells) > 1 or "".join(cells).strip():
                yield location, cells


@dataclass(frozen=True)
class FrameChunk:
    """Consecutive rows of a table; `start` is the number of the first, counted from 0."""

    start: int
    content: polars.DataFrame

    def to_frame(self, names: list[str], types: ColumnTypes) -> polars.DataFrame:
        """Return the cells as a data frame with these column names.

        Raises PolarsError if a cell does not have the type of its column.
        """
        # A cast to Boolean makes every number true.
        if polars.Boolean in types.values():
            raise polars.exceptions.InvalidOperationError("a cell is no boolean")
        renamed = self.content.rename(dict(zip(self.content.columns, names, strict=True)))
        result = renamed.cast(types)  # type: ignore[arg-type]
        # A cast to integers truncates fractions silently.
        fractional = renamed.select(
            name
            for name, dtype in renamed.schema.items()
            if types[name] == polars.UInt8 and (dtype.is_float() or dtype.is_decimal())
        )
        if not result.select(fractional.columns).cast(fractional.schema).equals(fractional):
            raise polars.exceptions.InvalidOperationError("a cell is not an integer")
        return result

    def without_blank_lines(self) -> "FrameChunk":
        """Return the chunk itself, which has no lines."""
        return self

    def rows(self) -> Iterator[Row]:
        """Yield each row."""
        for index, row in enumerate(self.content.iter_rows()):
            cells = ["" if value is None else str(value) for value in row]
            yield f"row {self.start + index}", cells


Chunk = CSVChunk | FrameChunk

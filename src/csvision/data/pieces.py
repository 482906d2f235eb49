"""Consecutive rows of a file: as a table for the quick parser, as cells for the careful one."""

import csv
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import polars

Types = dict[str, Any]
"""A polars type for each name of a column."""

Row = tuple[str, list[str] | csv.Error]
"""A row's place in its file, and its cells or why it has none."""

BLANK_LINES = re.compile(rb"^\r?\n", re.MULTILINE)


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

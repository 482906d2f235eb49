"""The first rows of a file, from which the roles of its columns are inferred."""

import csv
from collections import Counter
from functools import cached_property
from itertools import islice

import polars

from csvision.data.chunks import Chunk
from csvision.data.packing import READ_ERRORS
from csvision.data.source import Source
from csvision.errors import DataError

FEW_ROWS = 10
FEW_BYTES = 64 << 10
MANY_ROWS = 5000
MANY_BYTES = 4 << 20


class Sample:
    """The first rows of a source with the expected number of cells."""

    def __init__(self, source: Source) -> None:
        self.width = len(source.names)
        self.source = source

    @cached_property
    def rows(self) -> list[list[str]]:
        """The first few rows."""
        return self.complete_rows(self.first_chunk(FEW_BYTES), FEW_ROWS)

    def first_chunk(self, chunk_bytes: int) -> Chunk | None:
        """Return the first chunk; None if there is none, or if it is damaged."""
        try:
            return next(self.source.chunks(chunk_bytes), None)
        except DataError:
            raise
        except READ_ERRORS:
            return None

    def complete_rows(self, chunk: Chunk | None, count: int) -> list[list[str]]:
        """Return the rows of the expected length among the first ones of a chunk."""
        rows = islice(chunk.rows(), count) if chunk is not None else iter(())
        complete = (cells for _, cells in rows if not isinstance(cells, csv.Error))
        return [cells for cells in complete if len(cells) == self.width]

    @cached_property
    def frame(self) -> polars.DataFrame:
        """Many rows as a frame of texts."""
        names = [f"column {index}" for index in range(self.width)]
        chunk = self.first_chunk(MANY_BYTES) or self.first_chunk(FEW_BYTES)
        if chunk is not None:
            try:
                types = dict.fromkeys(names, polars.String)
                return chunk.without_blank_lines().to_frame(names, types).head(MANY_ROWS)
            except polars.exceptions.PolarsError:
                pass
        rows = self.complete_rows(chunk, MANY_ROWS)
        columns = zip(*rows, strict=True) if rows else [[] for _ in names]
        return polars.DataFrame(dict(zip(names, map(list, columns), strict=True)))

    def check_has_rows(self) -> None:
        """Raise DataError if the file has no rows, not even rows of another length."""
        if self.rows:
            return
        try:
            if any(True for chunk in self.source.chunks() for _ in chunk.rows()):
                return
        except DataError:
            raise
        except READ_ERRORS:
            return
        below = " below the header" if self.source.has_header else ""
        raise DataError(f"{self.source}: there are no rows{below}; add one row per image")

    def column(self, index: int) -> list[str]:
        """Return the cells of one column in many rows, without white space around them."""
        return [(cell or "").strip() for cell in self.frame.to_series(index)]

    def counts(self, index: int) -> Counter[str]:
        """Return how often each text occurs in a column."""
        return Counter(self.column(index))

    def all_rows(self) -> list[list[str]]:
        """Return all rows of a small file; raises DataError for a row of another length."""
        rows = []
        for chunk in self.source.chunks():
            for location, cells in chunk.rows():
                if isinstance(cells, csv.Error) or len(cells) != self.width:
                    raise DataError(f"{self.source}, {location}: not {self.width} cells")
                rows.append(cells)
        return rows

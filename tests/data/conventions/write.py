"""Write tables of cells as text files."""

import csv
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np

from tests.data.conventions.images import Content

Header = Sequence[str] | None


def pixel_names(count: int, name: str = "pixel{}", start: int = 0) -> list[str]:
    """Return numbered names."""
    return [name.format(index) for index in range(start, start + count)]


def rows_of(content: Content, label: int | None = 0) -> list[list[Any]]:
    """Return rows of cells with the label first (0), last (-1), or left out (None)."""
    rows = []
    for value, pixels in zip(content.labels, content.pixels.tolist(), strict=True):
        first = [value] if label == 0 else []
        last = [value] if label == -1 else []
        rows.append([*first, *pixels, *last])
    return rows


def to_text(
    rows: Sequence[Sequence[Any]], header: Header = None, separator: str = ",", quote: bool = False
) -> str:
    """Return rows as text."""
    text = io.StringIO()
    quoting: Literal[0, 1] = csv.QUOTE_ALL if quote else csv.QUOTE_MINIMAL
    writer = csv.writer(text, delimiter=separator, lineterminator="\n", quoting=quoting)
    if header is not None:
        writer.writerow(header)
    writer.writerows(rows)
    return text.getvalue()


def write_csv(
    rows: Sequence[Sequence[Any]],
    header: Header = None,
    name: str = "images.csv",
    separator: str = ",",
    quote: bool = False,
) -> str:
    """Write rows to a file; return its name."""
    Path(name).write_text(to_text(rows, header, separator, quote), encoding="utf-8")
    return name


def column(content: Content, values: Sequence[Any], rows: list[list[Any]]) -> list[list[Any]]:
    """Return rows with one more column in front."""
    assert len(values) == len(content.images)
    return [[value, *row] for value, row in zip(values, rows, strict=True)]


def transposed(content: Content) -> Content:
    """Return the same images, stored column by column."""
    return Content(np.ascontiguousarray(content.images.transpose(0, 1, 3, 2)), content.labels)

"""Read Parquet files: a column per pixel, a list of pixels, or an encoded image in each cell."""

from collections.abc import Iterator
from math import inf, prod
from pathlib import Path
from typing import Any

import numpy as np
import polars
from numpy.typing import NDArray

from csvision.data.array_sources import image_shape_of, pixels_to_frame
from csvision.data.chunks import FrameChunk
from csvision.data.decode_images import decode_image
from csvision.data.packing import check_decompressed_size
from csvision.data.source import Source
from csvision.errors import DataError

Array = NDArray[Any]


def open_parquet(path: Path, max_bytes: float = inf) -> Source:
    """Return the columns of a Parquet file; lists and encoded images have a column per pixel."""
    frame = polars.scan_parquet(path)
    schema = frame.collect_schema()
    rows = frame.select(polars.len()).collect().item()
    images = [name for name, dtype in schema.items() if holds_images(dtype)]
    others = [name for name in schema if name not in images]
    if not images:
        check_decompressed_size(path, rows * 8 * len(schema), max_bytes)
        return Source(
            path,
            tuple(schema),
            lambda size: wide_chunks(frame, rows, len(schema), size),
            num_rows=rows,
        )
    if len(images) > 1:
        raise DataError(
            f"{path}: columns {' and '.join(images[:2])} both contain images; remove one of them"
        )
    name = images[0]
    first = frame.select(name).head(1).collect().to_series()
    if not len(first) or first[0] is None:
        raise DataError(f"{path}, row 0, column {name}: the image is missing; remove the row")
    image = images_of(path, 0, first)
    shape, layout = image_shape_of(f"{path}, column {name}", image.shape[1:])
    num_pixels = prod(image.shape[1:])
    check_decompressed_size(path, rows * num_pixels, max_bytes)
    names = (*others, *(f"pixel{index}" for index in range(num_pixels)))

    def read(chunk_bytes: int) -> Iterator[FrameChunk]:
        step = max(1, chunk_bytes // (8 * num_pixels))
        for start in range(0, rows, step):
            part = frame.slice(start, step).collect()
            pixels = images_of(path, start, part[name], image.shape[1:]).reshape(len(part), -1)
            cells = {f"cell{index}": part[other] for index, other in enumerate(others)}
            yield FrameChunk(start, pixels_to_frame(cells, pixels))

    notice = f"column {name} has the image of each row"
    return Source(
        path, names, read, image_shape=shape, layout=layout, notices=(notice,), num_rows=rows
    )


def holds_images(dtype: Any) -> bool:
    """Return whether cells of this type are images: lists of numbers, or encoded bytes."""
    if isinstance(dtype, polars.Struct):
        return any(field.name == "bytes" and field.dtype == polars.Binary for field in dtype.fields)
    while isinstance(dtype, polars.List | polars.Array):
        inner = dtype.inner
        if inner is not None and inner.is_numeric():
            return True
        dtype = inner
    return bool(dtype == polars.Binary)


def wide_chunks(
    frame: polars.LazyFrame, rows: int, width: int, chunk_bytes: int
) -> Iterator[FrameChunk]:
    """Yield chunks of rows; a cell counts as eight bytes."""
    step = max(1, chunk_bytes // (8 * width))
    for start in range(0, rows, step):
        yield FrameChunk(start, frame.slice(start, step).collect())


def images_of(
    path: Path, start: int, cells: polars.Series, expected: tuple[int, ...] | None = None
) -> Array:
    """Return the images in cells of lists or encoded bytes as one array (N, ...).

    Raises DataError naming the first row whose image is missing or has another shape.
    """
    images = []
    for row, cell in enumerate(cells, start):
        where = f"{path}, row {row}, column {cells.name}"
        content = cell.get("bytes") if isinstance(cell, dict) else cell
        if content is None:
            raise DataError(f"{where}: the image is missing; remove the row")
        image = decode_image(where, content) if isinstance(content, bytes) else to_array(content)
        if image is None or image.shape != (expected or image.shape):
            found = "lists of unequal length" if image is None else f"shape {image.shape}"
            raise DataError(
                f"{where}: {found}, but the first image has shape {expected}; "
                "resize or pad the images to one size"
            )
        expected = image.shape
        images.append(image)
    return np.stack(images)


def to_array(content: Any) -> Array | None:
    """Return a list of numbers, perhaps of several levels, as an array; None if it is ragged."""
    values = content.to_list() if isinstance(content, polars.Series) else content
    try:
        array = np.array(values)
    except ValueError:
        return None
    return array if array.dtype.kind in "buif" else None

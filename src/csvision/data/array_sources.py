"""Read files that store arrays: NumPy's .npz and the ARFF files of Weka and OpenML.

Shapes: N rows, P pixels per row.
"""

import csv
import io
import zipfile
from collections.abc import Callable, Iterator
from math import inf
from pathlib import Path
from typing import Any

import numpy as np
import polars
from numpy.typing import NDArray

from csvision.config.schema import Layout
from csvision.data.channel_axis import find_channel_axis
from csvision.data.chunks import FrameChunk
from csvision.data.packing import check_decompressed_size, open_text
from csvision.data.read_options import ReadOptions
from csvision.data.source import Source
from csvision.errors import DataError, first_line
from csvision.layer_shapes import Shape

IMAGE_KEYS = ("x", "images", "image", "data", "x_train", "train_images", "train_x", "arr_0")
LABEL_KEYS = (
    *("y", "labels", "label", "target", "targets"),
    *("y_train", "train_labels", "train_y", "arr_1"),
)
TEST_KEYS = ("x_test", "test_images", "test_x")

DEFAULT_OPTIONS = ReadOptions()

Array = NDArray[Any]


def open_npz(path: Path, max_bytes: float = inf, options: ReadOptions = DEFAULT_OPTIONS) -> Source:
    """Return images and labels of a .npz file as columns; raises DataError if there are none."""
    with zipfile.ZipFile(path) as archive:
        size = sum(member.file_size for member in archive.infolist())
    check_decompressed_size(path, size, max_bytes)
    try:
        with np.load(path, allow_pickle=False) as arrays:
            found = {key.lower(): key for key in arrays.files}
            images = find_array(path, arrays, found, IMAGE_KEYS, "images")
            is_labeled = any(key in found for key in LABEL_KEYS)
            has_labels = is_labeled or not options.allow_missing_labels
            labels = find_array(path, arrays, found, LABEL_KEYS, "labels") if has_labels else None
    except DataError:
        raise
    except (ValueError, MemoryError, OverflowError) as error:
        raise DataError(
            f"{path}: {first_line(error)}; save arrays of numbers or strings only"
        ) from error
    notices: tuple[str, ...] = ()
    if test := next((found[key] for key in TEST_KEYS if key in found), None):
        notices = (f"only the training arrays are read; {test} is left out",)
    try:
        cells = {} if labels is None else {"label": flatten_labels(path, labels, len(images))}
    except DataError as error:
        if options.check_labels:
            raise
        cells = {}
        notices = (*notices, f"the labels are left out: {error}")
    image_shape, layout = infer_array_shape(path, images)
    pixels = images.reshape(len(images), -1)
    names = (*cells, *(f"pixel{index}" for index in range(pixels.shape[1])))
    return Source(
        path=path,
        names=names,
        read=array_reader(cells, pixels),
        image_shape=image_shape,
        layout=layout,
        notices=notices,
        num_rows=len(images),
    )


def find_array(
    path: Path, arrays: Any, found: dict[str, str], keys: tuple[str, ...], content: str
) -> Array:
    """Return the array under the first of the keys; raises DataError if there is none."""
    for key in keys:
        if key in found:
            array: Array = arrays[found[key]]
            return array
    raise DataError(
        f"{path}: no array of {content}; name it {keys[0]} (the arrays are "
        f"{', '.join(sorted(found.values()))})"
    )


def flatten_labels(path: Path, labels: Array, num_images: int) -> Array:
    """Return one label per image (N,), also for labels (N, 1) and one-hot labels (N, K)."""
    if len(labels) != num_images:
        raise DataError(f"{path}: {num_images} images, but {len(labels)} labels; store one each")
    if labels.dtype.kind == "S":
        labels = np.char.decode(labels, "utf-8")
    if labels.ndim == 2 and labels.shape[1] == 1:
        return labels[:, 0]
    if labels.ndim == 2 and ((labels == 0) | (labels == 1)).all() and (labels.sum(1) == 1).all():
        result: Array = labels.argmax(axis=1)
        return result
    if labels.ndim != 1:
        raise DataError(f"{path}: labels of shape {labels.shape}; store one label per image")
    return labels


def infer_array_shape(path: Path, images: Array) -> tuple[Shape | None, Layout | None]:
    """Return image shape (C, H, W) and layout of an array; None for rows of pixels (N, P)."""
    if not len(images) or images.dtype.kind not in "buif":
        raise DataError(f"{path}: the images are of type {images.dtype}; store numbers")
    return image_shape_of(str(path), images.shape[1:])


def image_shape_of(where: str, sides: tuple[int, ...]) -> tuple[Shape | None, Layout | None]:
    """Return image shape (C, H, W) and layout of one image; None for a list of pixels.

    Raises DataError, starting with `where`, if it is not clear which axis has the channels.
    """
    match sides:
        case (_,):
            return None, None
        case (height, width):
            return (1, height, width), Layout.channels_first
        case (_, _, _) if found := find_channel_axis(sides):
            return found
    raise DataError(
        f"{where}: images of shape {list(sides)}; store (height, width), (height, width, 3), or "
        "one row of pixels and set data.image_shape"
    )


def open_arff(path: Path, max_bytes: float = inf) -> Source:
    """Return the columns of an ARFF file."""
    # Not at the top: scipy.io takes a third of a second to import.
    from scipy.io import arff

    with open_text(path, max_bytes) as file:
        text = io.TextIOWrapper(file, encoding="utf-8")
        limit = csv.field_size_limit()
        try:
            data, meta = arff.loadarff(text)
        except DataError:
            raise
        except (arff.ArffError, NotImplementedError, ValueError, StopIteration) as error:
            raise DataError(f"{path}: not a valid ARFF file: {first_line(error)}") from error
        finally:
            # scipy changes it for all readers of the process.
            csv.field_size_limit(limit)
    names = tuple(name.strip("'\"") for name in meta.names())
    columns = {
        name: np.char.decode(data[original], "utf-8") if kind == "nominal" else data[original]
        for name, original, kind in zip(names, meta.names(), meta.types(), strict=True)
    }
    frame = polars.DataFrame(columns)
    return Source(path=path, names=names, read=frame_reader(frame), num_rows=frame.height)


def frame_reader(frame: polars.DataFrame) -> Callable[[int], Iterator[FrameChunk]]:
    """Return a function that yields the rows of a frame in chunks."""

    def read(chunk_bytes: int) -> Iterator[FrameChunk]:
        step = max(1, chunk_bytes // (8 * frame.width))
        for start in range(0, frame.height, step):
            yield FrameChunk(start, frame.slice(start, step))

    return read


def array_reader(cells: dict[str, Array], pixels: Array) -> Callable[[int], Iterator[FrameChunk]]:
    """Return a function that yields columns of cells and pixels (N, P) in chunks of rows."""

    def read(chunk_bytes: int) -> Iterator[FrameChunk]:
        step = max(1, chunk_bytes // (8 * pixels.shape[1]))
        for start in range(0, len(pixels), step):
            rows = slice(start, start + step)
            part = {name: values[rows] for name, values in cells.items()}
            yield FrameChunk(start, pixels_to_frame(part, pixels[rows]))

    return read


def pixels_to_frame(cells: dict[str, Any], pixels: Array) -> polars.DataFrame:
    """Return columns of cells, then one column per pixel: pixel0, pixel1, ..."""
    if pixels.dtype.kind == "b":
        pixels = pixels.astype(np.uint8)
    columns = np.ascontiguousarray(pixels.T)
    named = {f"pixel{index}": column for index, column in enumerate(columns)}
    return polars.DataFrame(cells | named)

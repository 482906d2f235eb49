"""A CSV file of images as arrays.

Shapes: N rows, C channels, H height, W width.
"""

import csv
import gzip
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files
from math import isqrt, prod
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from csvision.data.validation import faults_of_file, is_number
from csvision.errors import DataError
from csvision.geometry import Shape
from csvision.schema import EMBEDDED


@dataclass(frozen=True)
class ImageTable:
    """Images (N, C, H, W) of 0 to 255 and, where the file has them, the class of each (N,).

    `labels` holds indices into `label_values`, the file's own labels in ascending order, and
    into `classes`, their names.
    """

    images: NDArray[np.uint8]
    labels: NDArray[np.int64] | None
    label_values: list[int]
    classes: list[str]

    @property
    def image_shape(self) -> Shape:
        """(C, H, W)."""
        return self.images.shape[1:]


def read_table(
    source: str,
    image_shape: Sequence[int] | None = None,
    classes: Sequence[str] | None = None,
    label_values: Sequence[int] | None = None,
) -> ImageTable:
    """Read a CSV: a header, then the label and the pixels (C, H, W in that order) of a row.

    `image_shape` defaults to a grey square; `label_values` are the only labels allowed, by
    default those of the file. Raises DataError with every fault found.
    """
    path = csv_path(source)
    header = read_header(path)
    shape = shape_of(path, len(header) - 1, image_shape)
    values = read_values(path, header)
    labels = values[0].to_numpy(np.int64)
    known = sorted(set(labels.tolist())) if label_values is None else list(label_values)
    names = class_names(path, known, classes)
    images = values.loc[:, 1:].to_numpy(np.uint8).reshape(-1, *shape)
    return ImageTable(images, class_indices(path, labels, known), known, names)


def read_images(
    source: str, image_shape: Sequence[int], label_values: Sequence[int], classes: Sequence[str]
) -> ImageTable:
    """Read a CSV with or without a label column; which one, the number of columns tells."""
    path = csv_path(source)
    header = read_header(path)
    if len(header) == prod(image_shape) + 1:
        return read_table(source, image_shape, classes, label_values)
    shape = shape_of(path, len(header), image_shape)
    images = read_values(path, header, labelled=False).to_numpy(np.uint8).reshape(-1, *shape)
    return ImageTable(images, None, list(label_values), list(classes))


def csv_path(source: str) -> Path:
    """The file that `data.csv` names; raises DataError when there is none."""
    if source == EMBEDDED:
        return Path(str(files("csvision.data") / "embedded" / "fmnist_small.csv.gz"))
    path = Path(source).expanduser()
    if path.is_dir():
        raise DataError(f"{path} is a folder; name a CSV file")
    if not path.exists():
        hint = "python scripts/fashion_mnist.py makes it" if "fashion_mnist" in source else ""
        raise DataError(f"{path}: there is no such file; {hint or 'check data.csv'}")
    if path.stat().st_size == 0:
        raise DataError(f"{path} is empty; a header and one row an image are needed")
    return path


def read_header(path: Path) -> list[str]:
    """The names of the columns; raises DataError when the first line is no header."""
    opener = gzip.open if path.suffix == ".gz" else open
    try:
        with opener(path, "rt", encoding="utf-8-sig", newline="") as lines:
            header = next(csv.reader(lines), [])
    except (OSError, EOFError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{path} cannot be read as CSV text: {error}") from error
    if len(header) < 2:
        raise DataError(f"{path}, line 1: there are no pixel columns after the label")
    if all(is_number(name) for name in header) and header != [*map(str, range(len(header)))]:
        raise DataError(
            f"{path}, line 1 holds numbers; a header such as label,pixel1,... is needed"
        )
    return header


def read_values(path: Path, header: list[str], labelled: bool = True) -> pd.DataFrame:
    """All cells below the header, pixels as uint8 and labels as int64, columns numbered.

    The quick parser only says that something is wrong; then `faults_of_file` says what.
    """
    columns = range(len(header))
    types: dict[int, str] = dict.fromkeys(columns, "uint8")
    if labelled:
        types[0] = "int64"
    try:
        with warnings.catch_warnings():
            # pandas drops the cells of a row that is too long with no more than a warning.
            warnings.simplefilter("error", pd.errors.ParserWarning)
            values = pd.read_csv(
                path, header=None, skiprows=1, names=list(columns), dtype=types, index_col=False
            )
    except (ValueError, OverflowError, OSError, EOFError, pd.errors.ParserWarning) as error:
        faults = faults_of_file(path, header, labelled)
        raise DataError(faults or [f"{path} cannot be read as CSV: {error}"]) from error
    if values.empty:
        raise DataError(f"{path} has a header and no rows")
    return values


def shape_of(path: Path, pixels: int, image_shape: Sequence[int] | None) -> Shape:
    """The (C, H, W) of a row of pixels; raises DataError when the pixels do not fit it."""
    if image_shape is not None:
        if prod(image_shape) != pixels:
            raise DataError(
                f"{path} has {pixels} pixel columns where image_shape={list(image_shape)} "
                f"needs {prod(image_shape)}"
            )
        return tuple(image_shape)
    side = isqrt(pixels)
    if side * side != pixels:
        raise DataError(
            f"{path} has {pixels} pixel columns, which is no square (the nearest are "
            f"{side * side} and {(side + 1) ** 2}); give data.image_shape=[channels,height,width]"
        )
    return (1, side, side)


def class_names(path: Path, known: Sequence[int], names: Sequence[str] | None) -> list[str]:
    """The names of the classes; raises DataError for one class or another number of names."""
    if len(known) < 2:
        raise DataError(f"{path} has one label only ({known[0]}); two or more are needed")
    if names is None:
        return [str(value) for value in known]
    if len(names) != len(known):
        raise DataError(f"{path} has {len(known)} labels ({known}) but data.classes {len(names)}")
    return list(names)


def class_indices(path: Path, labels: NDArray[np.int64], known: Sequence[int]) -> NDArray[np.int64]:
    """Labels as indices into `known`; raises DataError naming a label that is not among them."""
    values = np.asarray(known, dtype=np.int64)
    indices = np.searchsorted(values, labels).clip(max=len(values) - 1)
    unknown = np.flatnonzero(values[indices] != labels)
    if unknown.size:
        row = int(unknown[0])
        raise DataError(
            f"{path}, row {row}: label {labels[row]} is none of the known ones ({list(known)}); "
            f"{unknown.size} rows have such labels"
        )
    return indices

"""A file of images as arrays.

Shapes: N rows, C channels, H height, W width.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from math import inf
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from csvision.data.cache import default_folder, load_parsed
from csvision.data.columns import choose_columns
from csvision.data.parsed import LabelValues, Parsed, image_hashes, parse_into_memory
from csvision.data.source import GIB, ImageFile, read_names, source_path
from csvision.errors import DataError
from csvision.geometry import Shape
from csvision.schema import NO_CACHE, Layout


@dataclass(frozen=True)
class ImageTable:
    """Images (N, C, H, W) of 0 to 255 and, where the file has them, the class of each (N,).

    `labels` holds indices into `label_values`, the labels as they stand in the file, and into
    `classes`, their names. The rest is that of `Parsed`.
    """

    images: NDArray[np.uint8]
    labels: NDArray[np.int64] | None
    label_values: LabelValues
    classes: list[str]
    hashes: NDArray[np.uint64]
    constant: NDArray[np.bool_]
    unit_pixels: bool
    sha256: str

    @property
    def image_shape(self) -> Shape:
        """(C, H, W)."""
        return self.images.shape[1:]


def table_of(
    images: NDArray[np.uint8],
    labels: NDArray[np.int64],
    label_values: Sequence[int | str],
    classes: Sequence[str],
) -> ImageTable:
    """A table of arrays: images (N, C, H, W), for each the index of its class (N,)."""
    rows = images.reshape(len(images), -1)
    constant = (rows == rows[:, :1]).all(axis=1)
    content = hashlib.sha256(images.tobytes() + labels.tobytes())
    return ImageTable(
        images,
        labels,
        list(label_values),
        list(classes),
        image_hashes(images),
        constant,
        False,
        content.hexdigest(),
    )


def read_table(
    source: str,
    *,
    label: str | None = None,
    image_shape: Sequence[int] | None = None,
    layout: str = "channels_first",
    classes: Sequence[str] | None = None,
    label_values: Sequence[int | str] | None = None,
    unlabelled: bool = False,
    cache: str | None = None,
    unpacked_gib: float = inf,
) -> ImageTable:
    """Read a file of images: a header, then a label and the pixels of a row.

    `label` names the label's column (default: the first), `image_shape` (C, H, W) defaults to a
    grey square, `layout` says in which order the pixels stand, `label_values` are the only labels
    allowed (default: those of the file), `unlabelled` allows a file of pixels alone, `cache` is a
    folder, "none", or None for the user's own, `unpacked_gib` the most GiB that a packed file may
    unpack to. Raises DataError with every fault found.
    """
    path = source_path(source)
    columns = choose_columns(path, read_names(path), label, image_shape, Layout(layout), unlabelled)
    file = ImageFile(path, unpacked_gib * GIB)
    if cache == NO_CACHE:
        parsed = parse_into_memory(file, columns)
    else:
        parsed = load_parsed(file, columns, Path(cache) if cache else default_folder())
    known: LabelValues
    if label_values is None:
        known, names = name_classes(path, parsed.label_values, classes)
    else:
        known = list(label_values)
        names = list(classes or map(str, known))
    labels = None if parsed.labels is None else relabel(path, parsed, known)
    return ImageTable(
        parsed.images,
        labels,
        known,
        [printable(name) for name in names],
        parsed.hashes,
        parsed.constant,
        parsed.unit_pixels,
        parsed.sha256,
    )


def name_classes(
    path: Path, found: LabelValues, names: Sequence[str] | None
) -> tuple[LabelValues, list[str]]:
    """The label values of the classes, and their names.

    As many names as labels belong to them in ascending order; else the names are those of the
    labels 0, 1, ... of which some are absent. Raises DataError for other numbers of names and for
    a file with one label.
    """
    if len(found) < 2:
        raise DataError(
            f"{path} has one label only ({found[0]}); two or more are needed; if another column "
            "than the first is the label, write data.label=NAME"
        )
    if names is None:
        return found, [str(value) for value in found]
    if len(names) == len(found):
        return found, list(names)
    if all(isinstance(value, int) and 0 <= value < len(names) for value in found):
        return list(range(len(names))), list(names)
    raise DataError(
        f"{path} has {len(found)} labels ({shown(found)}) but data.classes {len(names)}"
    )


def relabel(path: Path, parsed: Parsed, known: LabelValues) -> NDArray[np.int64]:
    """Indices into the file's labels as indices into the known ones.

    Raises DataError naming the first row whose label is not known.
    """
    assert parsed.labels is not None
    places = {value: index for index, value in enumerate(known)}
    table = np.array([places.get(value, -1) for value in parsed.label_values], dtype=np.int64)
    labels: NDArray[np.int64] = table[parsed.labels]
    unknown = np.flatnonzero(labels < 0)
    if unknown.size:
        row = int(unknown[0])
        value = parsed.label_values[parsed.labels[row]]
        raise DataError(
            f"{path}, row {row}: label {value} is none of the known ones ({shown(known)}); "
            f"{unknown.size} rows have such labels"
        )
    return labels


def printable(name: str) -> str:
    """A name without signs that steer a terminal."""
    return "".join(sign if sign.isprintable() else "?" for sign in name)


def shown(values: Sequence[int | str]) -> str:
    """Label values as text, cut short where they are many."""
    text = ", ".join(printable(str(value)) for value in values[:12])
    return f"{text}, ... {printable(str(values[-1]))}" if len(values) > 12 else text

"""A data file as arrays.

Shapes: N rows, C channels, H height, W width.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from csvision.config.schema import NO_CACHE
from csvision.data.cache import load_or_parse
from csvision.data.columns import infer_columns
from csvision.data.parse_file import LabelValues, ParsedFile, image_hashes, parse_into_memory
from csvision.data.read_options import ReadOptions
from csvision.data.source import GIB, DataFile, read_names, resolve_path
from csvision.errors import DataError
from csvision.layer_shapes import Shape
from csvision.process import use_threads

DEFAULT_OPTIONS = ReadOptions()


@dataclass(frozen=True)
class DataSpec:
    """The image shape (C, H, W), labels and classes that a file must match.

    A test file must match the training file; a file for evaluation must match the run.
    """

    image_shape: Shape
    label_values: LabelValues
    classes: list[str]


@dataclass(frozen=True)
class ImageTable(ParsedFile):
    """A parsed file with the names of its classes.

    `labels` are indices into `label_values`, the labels as in the file, and into `classes`, their
    names.
    """

    classes: list[str]

    @classmethod
    def from_arrays(
        cls,
        images: NDArray[np.uint8],
        labels: NDArray[np.int64],
        label_values: Sequence[int | str],
        classes: Sequence[str],
    ) -> "ImageTable":
        """Return a table of images (N, C, H, W) with the class index of each (N,)."""
        rows = images.reshape(len(images), -1)
        return cls(
            images,
            labels,
            hashes=image_hashes(images),
            constant=(rows == rows[:, :1]).all(axis=1),
            label_values=list(label_values),
            pixels_are_unit_range=False,
            sha256=hashlib.sha256(images.tobytes() + labels.tobytes()).hexdigest(),
            classes=list(classes),
        )

    @property
    def image_shape(self) -> Shape:
        """(C, H, W)."""
        return self.images.shape[1:]

    @property
    def spec(self) -> DataSpec:
        """What a file must match to be used with this table."""
        return DataSpec(self.image_shape, self.label_values, self.classes)


def read_table(
    source: str,
    options: ReadOptions = DEFAULT_OPTIONS,
    *,
    classes: Sequence[str] | None = None,
    reference: DataSpec | None = None,
    allow_other_labels: bool = False,
) -> ImageTable:
    """Read a data file: a header, then one row per image with its label and pixels.

    `classes` are the names of the classes, in ascending order of the labels. With a `reference`,
    image shape and labels must be those of the reference, and `classes` is not used; with
    `allow_other_labels`, rows with other labels have the index -1. Raises DataError with all errors
    of the file.
    """
    path = resolve_path(source)
    if reference is not None:
        options = replace(options, image_shape=reference.image_shape)
    parsed = parse(path, options)
    if reference is not None:
        label_values, names = reference.label_values, reference.classes
    else:
        label_values, names = name_classes(path, parsed.label_values, classes)
    labels = None
    if parsed.labels is not None:
        labels = relabel(path, parsed, label_values, allow_other_labels)
    parsed = replace(parsed, labels=labels, label_values=label_values)
    return ImageTable(**vars(parsed), classes=[replace_control_chars(name) for name in names])


def parse(path: Path, options: ReadOptions) -> ParsedFile:
    """Return a parsed file, from the cache if it is there."""
    use_threads()
    columns = infer_columns(path, read_names(path), options)
    file = DataFile(path, options.max_decompressed_gib * GIB)
    if options.cache == NO_CACHE:
        return parse_into_memory(file, columns)
    return load_or_parse(file, columns, Path(options.cache) if options.cache else None)


def name_classes(
    path: Path, found: LabelValues, names: Sequence[str] | None
) -> tuple[LabelValues, list[str]]:
    """Return the label values of the classes and the names of the classes.

    If there are as many names as labels, the names are in ascending order of the labels. If there
    are more names, they are the names of the labels 0, 1, ..., and some labels do not occur. Raises
    DataError for any other number of names, and for a file with a single label.
    """
    if len(found) < 2:
        raise DataError(
            f"{path}: the only label is {preview(found)}, but two or more are needed; "
            "set data.label_column=NAME if the label is in another column"
        )
    if names is None:
        return found, [str(value) for value in found]
    if len(names) == len(found):
        return found, list(names)
    if all(isinstance(value, int) and 0 <= value < len(names) for value in found):
        return list(range(len(names))), list(names)
    raise DataError(
        f"{path}: {len(found)} labels ({preview(found)}), but data.classes has {len(names)} names; "
        "give one name per label"
    )


def relabel(
    path: Path, parsed: ParsedFile, label_values: LabelValues, allow_others: bool
) -> NDArray[np.int64]:
    """Return indices into `label_values` for indices into the labels of a file.

    The index of another label is -1. Raises DataError naming the first row with such a label,
    unless `allow_others`.
    """
    assert parsed.labels is not None
    index_of = {value: index for index, value in enumerate(label_values)}
    indices = np.array([index_of.get(value, -1) for value in parsed.label_values], dtype=np.int64)
    labels: NDArray[np.int64] = indices[parsed.labels]
    unknown = np.flatnonzero(labels < 0)
    if unknown.size and not allow_others:
        row = int(unknown[0])
        value = parsed.label_values[parsed.labels[row]]
        raise DataError(
            f"{path}, row {row}: label {preview([value])} is not one of {preview(label_values)}; "
            f"correct the {unknown.size} rows with such labels"
        )
    return labels


def replace_control_chars(name: str) -> str:
    """Replace characters that would control a terminal."""
    return "".join(char if char.isprintable() else "?" for char in name)


def preview(values: Sequence[int | str]) -> str:
    """Format label values as text, shortened if there are many."""
    text = ", ".join(replace_control_chars(str(value)) for value in values[:12])
    return f"{text}, ... {replace_control_chars(str(values[-1]))}" if len(values) > 12 else text

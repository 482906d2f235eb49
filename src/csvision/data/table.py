"""A data file as arrays.

Shapes: N rows, C channels, H height, W width.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from csvision.config.schema import NO_CACHE
from csvision.data.cache import load_or_parse
from csvision.data.class_names import ClassNames, name_classes, preview, replace_control_chars
from csvision.data.columns import Columns
from csvision.data.data_spec import DataSpec, LabelValues
from csvision.data.labels_file import attach_labels
from csvision.data.open_source import resolve_path
from csvision.data.open_table import open_table
from csvision.data.parse_file import parse_into_memory
from csvision.data.parsed_file import ParsedFile
from csvision.data.parsed_rows import image_hashes
from csvision.data.pixel_range import BYTES
from csvision.data.read_options import ReadOptions
from csvision.errors import DataError
from csvision.layer_shapes import Shape
from csvision.wording import pluralize

DEFAULT_OPTIONS = ReadOptions()

MANY_LABELS = 20
"""A file with more labels, most of them in a single row, has no classes."""


@dataclass(frozen=True)
class ImageTable(ParsedFile):
    """A parsed file with the names of its classes.

    `labels` are indices into `label_values`, the labels as in the file, and into `classes`, their
    names. `label_column` and `pixel_columns` are those of DataSpec.
    """

    classes: list[str] = field(default_factory=list)
    label_column: str | None = None
    pixel_columns: list[str] | None = None

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
            pixel_range=BYTES,
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
        return DataSpec(
            self.image_shape,
            self.label_values,
            self.classes,
            self.pixel_range,
            self.label_column,
            self.pixel_columns,
        )


def read_table(
    source: str,
    options: ReadOptions = DEFAULT_OPTIONS,
    *,
    classes: ClassNames | None = None,
    reference: DataSpec | None = None,
    allow_other_labels: bool = False,
) -> ImageTable:
    """Read a data file: one row per image with its label and pixels.

    `classes` are the names of the classes, in ascending order of the labels, or a name for each
    label. With a `reference`, image shape, labels and pixel range must be those of the reference,
    and `classes` is not used; with `allow_other_labels`, rows with other labels have the index -1.
    Raises DataError with all errors of the file.
    """
    path = resolve_path(source)
    parsed, columns = parse(path, options, reference)
    if reference is not None:
        label_values, names = reference.label_values, reference.classes
    elif parsed.labels is None:
        label_values, names = [], []
    else:
        check_has_classes(path, parsed)
        label_values, names = name_classes(path, parsed.label_values, classes)
    labels = None
    if parsed.labels is not None:
        labels = relabel(path, parsed, label_values, allow_other_labels)
    parsed = replace(parsed, labels=labels, label_values=label_values)
    return ImageTable(
        **vars(parsed),
        classes=[replace_control_chars(name) for name in names],
        label_column=None if columns.label is None else columns.names[columns.label],
        pixel_columns=columns.pixel_names(),
    )


def parse(
    path: Path, options: ReadOptions, reference: DataSpec | None = None
) -> tuple[ParsedFile, Columns]:
    """Return a parsed file, from the cache if it is there, and the roles of its columns."""
    opened = open_table(path, options, reference)
    source, columns, settings = opened.source, opened.columns, opened.settings
    if options.cache == NO_CACHE:
        parsed = parse_into_memory(source, columns, settings)
    else:
        folder = Path(options.cache) if options.cache else None
        parsed = load_or_parse(source, columns, settings, folder)
    parsed = replace(parsed, notices=[*opened.notices, *parsed.notices])
    if options.labels_csv is not None:
        parsed = attach_labels(path, parsed, options.labels_csv, reference)
    return parsed, columns


def check_has_classes(path: Path, parsed: ParsedFile) -> None:
    """Raise DataError if most labels have a single row: the column is no label."""
    if parsed.labels is None or len(parsed.label_values) <= MANY_LABELS:
        return
    single = int((np.bincount(parsed.labels) == 1).sum())
    if single > len(parsed.label_values) / 2:
        raise DataError(
            f"{path}: {len(parsed.label_values)} labels ({preview(parsed.label_values)}), of which "
            f"{single} have a single row, are no classes; set data.label_column=NAME"
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
        raise DataError(unknown_label(path, row, value, label_values, unknown.size))
    return labels


def unknown_label(
    path: Path, row: int, value: int | str, label_values: LabelValues, count: int
) -> str:
    """Say that the label of a row is not one of `label_values`, like those of `count` rows."""
    return (
        f"{path}, row {row}: label {preview([value])} is not one of {preview(label_values)}; "
        f"correct the {pluralize(count, 'row')} with such labels"
    )

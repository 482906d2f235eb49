"""Read the labels of images from a second file."""

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from csvision.data.data_spec import DataSpec
from csvision.data.label_kind import decide_label_kind, kind_of, parse_label
from csvision.data.names import is_id_name
from csvision.data.open_source import resolve_path
from csvision.data.packing import READ_ERRORS
from csvision.data.parse_strict import CellTypes, label_error
from csvision.data.parsed_file import ParsedFile
from csvision.data.sample import Sample
from csvision.data.source import file_sha256
from csvision.data.text_source import open_text_source
from csvision.errors import DataError, first_line


def attach_labels(
    path: Path, parsed: ParsedFile, labels_csv: str, reference: DataSpec | None
) -> ParsedFile:
    """Return a parsed file with the labels of a second file.

    Raises DataError if the file has labels itself, or the second one does not fit.
    """
    if parsed.labels is not None:
        raise DataError(f"{path}: has labels itself; remove data.labels_csv, or the label column")
    resolved = resolve_path(labels_csv)
    texts = read_labels_file(resolved, len(parsed.hashes), parsed.ids)
    counts = Counter(texts)
    kind = decide_label_kind(counts) if reference is None else kind_of(reference.label_values)
    for row, text in enumerate(texts):
        if error := label_error(text, CellTypes(labels=kind)):
            raise DataError(f"{resolved}, row {row}: {text!r} {error}")
    values = [parse_label(text, kind) for text in texts]
    label_values = sorted(set(values))
    index = {value: number for number, value in enumerate(label_values)}
    return replace(
        parsed,
        labels=np.array([index[value] for value in values], dtype=np.int64),
        label_values=label_values,
        sha256=hashlib.sha256((parsed.sha256 + file_sha256(resolved)).encode()).hexdigest(),
    )


def read_labels_file(path: Path, num_images: int, ids: Sequence[str] | None) -> list[str]:
    """Return one label per image, as text.

    The file has one column of labels in the order of the images, or a second column of identifiers,
    by which labels and images are matched if both have them. Its first row has names if it has one
    row more than there are images. Raises DataError if labels and images do not match.
    """
    try:
        rows = Sample(open_text_source(path, header=False)).all_rows()
    except READ_ERRORS as error:
        raise DataError(f"{path}: cannot be read: {first_line(error)}") from error
    names = rows.pop(0) if len(rows) == num_images + 1 else []
    if len(rows) != num_images:
        raise DataError(f"{path}: {len(rows)} labels, but {num_images} images; give one per image")
    if len(rows[0]) == 1:
        return [row[0].strip() for row in rows]
    if len(rows[0]) > 2:
        raise DataError(
            f"{path}: {len(rows[0])} columns; a file for data.labels_csv has one column of labels, "
            "or two: identifiers and labels"
        )
    key = 1 if names and is_id_name(names[1]) and not is_id_name(names[0]) else 0
    labels_by_id = {row[key].strip(): row[1 - key].strip() for row in rows}
    if len(labels_by_id) < len(rows):
        raise DataError(f"{path}: an identifier occurs twice; give one label per image")
    if ids is None:
        ids = [row[key].strip() for row in rows]
        check_counting(path, ids)
    missing = [name for name in ids if name not in labels_by_id]
    if missing:
        raise DataError(f"{path}: no label for {missing[0]!r}; give one label per image")
    return [labels_by_id[name] for name in ids]


def check_counting(path: Path, ids: Sequence[str]) -> None:
    """Raise DataError unless identifiers count the images, which have none themselves."""
    start = int(ids[0]) if ids and ids[0].isdecimal() else -1
    if start not in (0, 1) or list(ids) != [str(start + row) for row in range(len(ids))]:
        raise DataError(
            f"{path}: the images have no identifiers, and those here do not count them from 0 or "
            "1; remove the column if the labels are in the order of the images"
        )

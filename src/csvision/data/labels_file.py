"""Read the labels of images from a second file."""

from collections.abc import Sequence
from pathlib import Path

from csvision.data.names import is_id_name
from csvision.data.packing import READ_ERRORS
from csvision.data.sample import Sample
from csvision.data.text_source import open_text_source
from csvision.errors import DataError, first_line


def read_labels_file(path: Path, num_images: int, ids: Sequence[str] | None) -> list[str]:
    """Return one label per image, as text.

    The file has one column of labels in the order of the images, or a second column of identifiers,
    by which labels and images are matched if both have them. Raises DataError if they do not match.
    """
    try:
        source = open_text_source(path, "auto")
        rows = Sample(source).all_rows()
    except READ_ERRORS as error:
        raise DataError(f"{path}: cannot be read: {first_line(error)}") from error
    names = source.names
    if len(names) > 2:
        raise DataError(
            f"{path}: {len(names)} columns; a file for data.labels_csv has one column of labels, "
            "or two: identifiers and labels"
        )
    if len(names) == 1:
        labels = [row[0].strip() for row in rows]
        check_count(path, len(labels), num_images)
        return labels
    key = 1 if is_id_name(names[1]) and not is_id_name(names[0]) else 0
    labels_by_id = {row[key].strip(): row[1 - key].strip() for row in rows}
    if len(labels_by_id) < len(rows):
        raise DataError(f"{path}: an identifier occurs twice; give one label per image")
    if ids is None:
        ids = [row[key].strip() for row in rows]
        check_order(path, ids)
    check_count(path, len(rows), num_images)
    missing = [name for name in ids if name not in labels_by_id]
    if missing:
        raise DataError(f"{path}: no label for {missing[0]!r}; give one label per image")
    return [labels_by_id[name] for name in ids]


def check_count(path: Path, found: int, num_images: int) -> None:
    """Raise DataError unless there are as many labels as images."""
    if found != num_images:
        raise DataError(f"{path}: {found} labels, but {num_images} images; give one per image")


def check_order(path: Path, ids: Sequence[str]) -> None:
    """Raise DataError unless identifiers count the images, which have none themselves."""
    start = int(ids[0]) if ids and ids[0].isdecimal() else -1
    if start not in (0, 1) or list(ids) != [str(start + row) for row in range(len(ids))]:
        raise DataError(
            f"{path}: the images have no identifiers, and those here do not count them from 0 or "
            "1; remove the column if the labels are in the order of the images"
        )

"""What the name of a column says: a label, an identifier, a split, or the position of a pixel."""

import re
from collections.abc import Sequence

LABEL_NAMES = frozenset(
    (
        *("label", "labels", "label_id", "labelid", "label_name", "class_label", "classlabel"),
        *("class", "classes", "class_id", "classid", "class_name", "category"),
        *("target", "targets", "y", "ground_truth", "groundtruth"),
        *("digit", "character", "letter", "emotion", "species"),
    )
)
ID_NAMES = frozenset(
    (
        *("id", "ids", "uid", "uuid", "index", "idx", "", "unnamed: 0"),
        *("row", "row_id", "rowid", "rownames", "rownumber"),
        *("filename", "file_name", "file", "path", "filepath", "file_path", "name"),
        *("image", "img", "image_id", "imageid", "img_id"),
        *("image_path", "image_name", "imagename"),
    )
)
SPLIT_NAMES = frozenset(("usage", "split", "subset", "set", "partition", "dataset"))
SPLIT_WORDS = {
    "train": "train",
    "training": "train",
    "val": "val",
    "valid": "val",
    "validation": "val",
    "dev": "val",
    "publictest": "val",
    "test": "test",
    "testing": "test",
    "privatetest": "test",
}
"""The words of a split column, in lower case, with the split that each one names."""


def normalize_name(name: str) -> str:
    """Return a name in lower case, without white space and quotes around it."""
    return name.strip().strip("'\"").strip().lower()


def is_label_name(name: str) -> bool:
    """Return whether a column of this name contains labels."""
    return normalize_name(name) in LABEL_NAMES


def is_id_name(name: str) -> bool:
    """Return whether a column of this name contains identifiers of rows."""
    return normalize_name(name) in ID_NAMES


def is_split_name(name: str) -> bool:
    """Return whether a column of this name can contain the split of each row."""
    return normalize_name(name) in SPLIT_NAMES


def natural_key(name: str) -> list[str | int]:
    """Return a key that sorts names by the numbers in them: 2.png comes before 10.png."""
    parts = re.split("([0-9]+)", name)
    # Texts and numbers alternate; the name itself decides between 1 and 01.
    return [*(int(part) if index % 2 else part for index, part in enumerate(parts)), name]


def pattern_of(name: str) -> str:
    """Return a name with each number in it replaced by one character."""
    return re.sub(r"\d+", "\0", name.strip())


def has_number(name: str) -> bool:
    """Return whether there is a number in a name."""
    return re.search(r"\d", name) is not None


def find_numbered(names: Sequence[str]) -> dict[int, tuple[int, ...]]:
    """Return the numbers in the names of the columns that number themselves, by their index.

    These are the columns of the most frequent pattern, such as pixel1 and pixel2, or 1x1 and 1x2,
    if there are at least two of them and no numbers occur twice. An empty dictionary means that
    the names are not numbered.
    """
    patterns: dict[str, list[int]] = {}
    for index, name in enumerate(names):
        if "\0" in (pattern := pattern_of(name)):
            patterns.setdefault(pattern, []).append(index)
    if not patterns:
        return {}
    members = max(patterns.values(), key=len)
    if len(members) < 2:
        return {}
    numbers = {index: tuple(map(int, re.findall(r"\d+", names[index]))) for index in members}
    return numbers if len(set(numbers.values())) == len(members) else {}

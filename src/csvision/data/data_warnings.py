"""Warn about problems of a data set that do not prevent training."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from csvision.data.splits import Splits, Subset
from csvision.data.table import ImageTable

MAX_LISTED = 5
"""Warnings list so many rows."""

IMBALANCE_RATIO = 10
"""Warn if the largest class has this many times the rows of the smallest."""


def data_warnings(splits: Splits) -> list[str]:
    """Return one line per problem: leakage, duplicates, constant images, unusual classes."""
    named = {"training": splits.train, "validation": splits.val, "test": splits.test}
    lines = [
        *leakage("test", splits.test, splits.train),
        *leakage("validation", splits.val, splits.train),
        *duplicates(splits.train),
        *label_conflicts("training", splits.train),
    ]
    for name, subset in named.items():
        lines += constant_images(name, subset)
    for name, subset in named.items():
        if len(subset):
            lines += empty_classes(name, subset)
    return [*lines, *imbalance(splits.train), *missing_label_values(splits.train.table)]


def hashes(subset: Subset) -> NDArray[np.uint64]:
    """Return the hash of each image of a subset."""
    return subset.table.hashes[subset.indices]


def leakage(name: str, subset: Subset, train: Subset) -> list[str]:
    """Warn about images that also occur in the training set."""
    count = int(np.isin(hashes(subset), hashes(train)).sum())
    if not count:
        return []
    return [
        f"{count} {name} images also occur in the training set; {name} accuracy will be inflated"
    ]


def duplicates(train: Subset) -> list[str]:
    """Warn about images that occur in the training set more than once, and name their rows."""
    pairs = [
        f"row {row} = {first}" for group in equal_rows(train) for first, row in with_first(group)
    ]
    if not pairs:
        return []
    more = ", ..." if len(pairs) > MAX_LISTED else ""
    listed = ", ".join(pairs[:MAX_LISTED])
    return [f"{len(pairs)} training images are duplicates of others ({listed}{more})"]


def with_first(group: Sequence[int]) -> list[tuple[int, int]]:
    """Return the first row of a group with each of the others."""
    return [(group[0], row) for row in group[1:]]


def label_conflicts(name: str, subset: Subset) -> list[str]:
    """Warn about equal images with different labels, which are errors of labels."""
    names, labels = subset.table.classes, subset.table.labels
    assert labels is not None
    pairs = [
        f"row {first} is {names[labels[first]]}, row {row} is {names[labels[row]]}"
        for group in equal_rows(subset)
        for first, row in with_first(group)
        if labels[first] != labels[row]
    ]
    if not pairs:
        return []
    more = "; ..." if len(pairs) > MAX_LISTED else ""
    listed = "; ".join(pairs[:MAX_LISTED])
    return [f"{len(pairs)} {name} images have another label than an equal image ({listed}{more})"]


def equal_rows(subset: Subset) -> list[list[int]]:
    """Return the rows of the file, in ascending order, of each image that occurs several times."""
    _, inverse, counts = np.unique(hashes(subset), return_inverse=True, return_counts=True)
    groups: dict[int, list[int]] = {}
    for position in np.flatnonzero(counts[inverse] > 1):
        groups.setdefault(int(inverse[position]), []).append(int(subset.indices[position]))
    return sorted(sorted(rows) for rows in groups.values())


def constant_images(name: str, subset: Subset) -> list[str]:
    """Warn about images in which all pixels have the same value."""
    rows = subset.indices[subset.table.constant[subset.indices]]
    if not rows.size:
        return []
    return [
        f"{rows.size} {name} images are constant: all pixels are equal (first: row {rows.min()})"
    ]


def empty_classes(name: str, subset: Subset) -> list[str]:
    """Warn about classes without rows."""
    counts = np.bincount(subset.labels, minlength=len(subset.table.classes))
    empty = [subset.table.classes[index] for index in np.flatnonzero(counts == 0)]
    return [f"the {name} set has no rows of class {', '.join(empty)}"] if empty else []


def imbalance(train: Subset) -> list[str]:
    """Warn about classes of very different sizes."""
    counts = np.bincount(train.labels, minlength=len(train.table.classes))
    present = np.flatnonzero(counts)
    largest, smallest = counts.argmax(), present[counts[present].argmin()]
    if counts[largest] < IMBALANCE_RATIO * counts[smallest]:
        return []
    names = train.table.classes
    return [
        f"class {names[largest]} has {counts[largest]} training rows, "
        f"{names[smallest]} has {counts[smallest]}; prefer test/f1 to accuracy"
    ]


def missing_label_values(table: ImageTable) -> list[str]:
    """Warn about integers between the smallest and the largest label that do not occur."""
    numbers = [value for value in table.label_values if isinstance(value, int)]
    if not numbers or numbers[-1] - numbers[0] >= 1000:
        return []
    missing = sorted(set(range(numbers[0], numbers[-1] + 1)) - set(numbers))
    return [f"label values that do not occur: {', '.join(map(str, missing))}"] if missing else []

"""Warn about problems of a data set that do not prevent training."""

import numpy as np
from numpy.typing import NDArray

from csvision.data.splits import Splits, Subset
from csvision.data.table import ImageTable

IMBALANCE_RATIO = 10
"""Warn if the largest class has this many times the rows of the smallest."""


def data_warnings(splits: Splits) -> list[str]:
    """Return one line per problem: leakage, duplicates, constant images, unusual classes."""
    named = {"training": splits.train, "validation": splits.val, "test": splits.test}
    lines = [
        *leakage("test", splits.test, splits.train),
        *leakage("validation", splits.val, splits.train),
        *duplicates(splits.train),
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
    """Warn about images that occur in the training set more than once."""
    count = len(train) - len(np.unique(hashes(train)))
    return [f"{count} training images are duplicates of others"] if count else []


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

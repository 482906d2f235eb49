"""What is remarkable about the parts of a data set, though it can be used."""

import numpy as np
from numpy.typing import NDArray

from csvision.data.split import Part, Parts
from csvision.data.table import ImageTable

IMBALANCE = 10
"""The largest class has this many times the rows of the smallest: worth a line."""


def findings(parts: Parts) -> list[str]:
    """A line for each thing that may spoil a result: leakage, empty images, odd classes."""
    named = {"training": parts.train, "validation": parts.val, "test": parts.test}
    lines = [
        *leakage("test", parts.test, "training", parts.train),
        *leakage("validation", parts.val, "training", parts.train),
        *repeated(parts.train),
    ]
    for name, part in named.items():
        lines += constant_images(name, part)
    for name, part in named.items():
        if len(part):
            lines += absent_classes(name, part)
    return [*lines, *imbalance(parts.train), *gaps(parts.train.table)]


def hashes(part: Part) -> NDArray[np.uint64]:
    """The hash of each image of a part."""
    return part.table.hashes[part.rows]


def leakage(name: str, part: Part, other_name: str, other: Part) -> list[str]:
    """Images that stand in both of two parts."""
    count = int(np.isin(hashes(part), hashes(other)).sum())
    if not count:
        return []
    return [f"{count} {name} images also stand among the {other_name} rows: figures flatter"]


def repeated(part: Part) -> list[str]:
    """Images that stand in a part more than once."""
    count = len(part) - len(np.unique(hashes(part)))
    return [f"{count} training images are repetitions of others"] if count else []


def constant_images(name: str, part: Part) -> list[str]:
    """Images of a single value."""
    rows = part.rows[part.table.constant[part.rows]]
    if not rows.size:
        return []
    return [f"{rows.size} {name} images are of one shade (first: row {rows.min()})"]


def absent_classes(name: str, part: Part) -> list[str]:
    """Classes without a row."""
    counts = np.bincount(part.labels, minlength=len(part.table.classes))
    absent = [part.table.classes[index] for index in np.flatnonzero(counts == 0)]
    return [f"no {name} row is of class {', '.join(absent)}"] if absent else []


def imbalance(part: Part) -> list[str]:
    """Classes of very different sizes."""
    counts = np.bincount(part.labels, minlength=len(part.table.classes))
    present = np.flatnonzero(counts)
    largest, smallest = counts.argmax(), present[counts[present].argmin()]
    if counts[largest] < IMBALANCE * counts[smallest]:
        return []
    names = part.table.classes
    return [
        f"class {names[largest]} has {counts[largest]} training rows, "
        f"{names[smallest]} {counts[smallest]}: accuracy says little, look at test/f1"
    ]


def gaps(table: ImageTable) -> list[str]:
    """Whole numbers between the smallest and the largest label that no row has."""
    numbers = [value for value in table.label_values if isinstance(value, int)]
    if not numbers or numbers[-1] - numbers[0] >= 1000:
        return []
    missing = sorted(set(range(numbers[0], numbers[-1] + 1)) - set(numbers))
    return [f"the labels have gaps: {', '.join(map(str, missing))}"] if missing else []

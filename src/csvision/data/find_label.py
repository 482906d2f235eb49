"""Find the label column of a file by the names of the columns, else by their values."""

from collections.abc import Sequence
from pathlib import Path

from csvision.data.cells import is_text
from csvision.data.names import is_label_name
from csvision.data.sample import Sample
from csvision.errors import DataError

MAX_SHOWN = 6
MAX_CLASSES = 100
LARGEST_CLASS = 0.6
"""A column of numbers is a label only if no number has more than this fraction of the rows."""


def find_named_label(
    path: Path, names: Sequence[str], candidates: Sequence[int], sample: Sample
) -> int | None:
    """Return the only candidate with the usual name of a label; None if there is none.

    Raises DataError if there are several.
    """
    named = [index for index in candidates if is_label_name(names[index])]
    if len(named) > 1:
        raise DataError(
            f"{path}: more than one column can be the label: "
            f"{describe_candidates(names, named, sample)}; set data.label_column={names[named[0]]} "
            "and leave out the other by data.ignore=[NAME]"
        )
    return named[0] if named else None


def find_only_text(candidates: Sequence[int], sample: Sample) -> int | None:
    """Return the only candidate with texts in all of the first rows; None unless there is one."""
    texts = [
        index for index in candidates if sample.rows and all(is_text(row[index]) for row in sample.rows)
    ]
    return texts[0] if len(texts) == 1 else None


def find_label_by_values(path: Path, names: Sequence[str], columns: Sequence[int], sample: Sample) -> int:
    """Return the first or the last column if only one of them contains class numbers.

    Raises DataError if values do not tell.
    """
    ends = [columns[0], columns[-1]]
    found = [index for index in ends if has_class_numbers(sample, index)]
    if len(found) != 1:
        raise DataError(
            f"{path}: it is not clear which column is the label: "
            f"{describe_candidates(names, ends, sample)}; set data.label_column=NAME"
        )
    return found[0]


def has_class_numbers(sample: Sample, index: int) -> bool:
    """Return whether a column looks like class numbers: 0 to K-1 or 1 to K, of similar counts."""
    counts = sample.counts(index)
    rows = counts.total()
    if not 2 <= len(counts) <= min(MAX_CLASSES, rows / 2):
        return False
    if not all(text.isdecimal() and len(text) < 4 for text in counts):
        return False
    few_missing = max(map(int, counts)) <= 1.5 * len(counts)
    return few_missing and max(counts.values()) <= LARGEST_CLASS * rows


def is_one_hot(columns: Sequence[int], sample: Sample) -> bool:
    """Return whether exactly one of several columns is 1 in each row, and the others are 0."""
    if len(columns) < 2 or not sample.frame.height:
        return False
    numbers = {"0": 0, "1": 1, "0.0": 0, "1.0": 1, "false": 0, "true": 1}
    cells = [[numbers.get(cell.lower(), 2) for cell in sample.column(index)] for index in columns]
    sums = [sum(row) for row in zip(*cells, strict=True)]
    return all(total == 1 for total in sums) and not any(2 in column for column in cells)


def describe_candidates(names: Sequence[str], candidates: Sequence[int], sample: Sample) -> str:
    """Describe columns by name and number of distinct values."""
    parts = []
    for index in candidates[:MAX_SHOWN]:
        counts = sample.counts(index)
        first = ", ".join(list(counts)[:3])
        more = ", ..." if len(counts) > 3 else ""
        parts.append(f"{names[index] or index} ({len(counts)} distinct values: {first}{more})")
    return " or ".join(parts)

"""Find the label column of a file by the values of the columns."""

from collections.abc import Sequence
from reprlib import repr as shorten

from csvision.data.cells import is_text, parse_whole
from csvision.data.roles import Evidence
from csvision.data.sample import Sample
from csvision.errors import DataError

MAX_SHOWN = 6
MAX_CLASSES = 100
MANY_ROWS = 10
MIN_ROWS = 20
FEW_ROWS = 500
MAX_COMPARED = 50
LARGEST_CLASS = 0.6
"""A column of numbers is a label only if no number has more than this fraction of the rows."""

LARGEST_OTHER = 0.8
"""A column at the other end can be the label, too, if no value has more than this fraction."""


def find_label_by_values(evidence: Evidence, columns: Sequence[int]) -> int:
    """Return the first or the last column if it has class numbers, and others are unlike it.

    Raises DataError if values do not tell.
    """
    sample, first, last = evidence.sample, columns[0], columns[-1]
    # In few rows, the values of a label can have frequencies like those of pixels.
    largest = LARGEST_OTHER if sample.frame.height < FEW_ROWS else LARGEST_CLASS
    for label, other in ((first, last), (last, first)):
        if not has_class_numbers(sample, label) or can_be_label(sample, other, LARGEST_OTHER):
            continue
        # Pixels of few values can look like labels, too, but have more values than labels.
        num_classes = len(sample.counts(label))
        inner = compared(columns[1:-1])
        if not any(
            can_be_label(sample, index, largest) and len(sample.counts(index)) <= num_classes
            for index in inner
        ):
            return label
    raise DataError(
        f"{evidence.source}: it is not clear which column is the label: "
        f"{describe_candidates(evidence, (first, last))}; set data.label_column=NAME"
    )


def compared(columns: Sequence[int]) -> Sequence[int]:
    """Return all of some columns; if they are many, those at the ends and some between."""
    if len(columns) <= MAX_COMPARED:
        return columns
    return [*columns[:3], *columns[3:-3][:: len(columns) // MAX_COMPARED], *columns[-3:]]


def can_be_label(sample: Sample, index: int, largest: float = LARGEST_CLASS) -> bool:
    """Return whether the values of a column repeat as those of a label do.

    No value may have more than the `largest` fraction of the rows.
    """
    counts = sample.counts(index)
    rows = counts.total()
    if not 2 <= len(counts) <= min(MAX_CLASSES, rows / 2):
        return False
    return max(counts.values()) <= largest * rows


def has_class_numbers(sample: Sample, index: int) -> bool:
    """Return whether a column looks like class numbers: 0 to K-1 or 1 to K, of similar counts."""
    if not can_be_label(sample, index) or sample.frame.height < MIN_ROWS:
        return False
    values = [parse_whole(text) for text in sample.counts(index)]
    numbers = [value for value in values if value is not None and value >= 0]
    return len(numbers) == len(values) and max(numbers) <= 1.5 * len(numbers)


def check_values_repeat(evidence: Evidence, index: int) -> None:
    """Raise DataError if each row has another value, so that the column identifies rows."""
    first = [row[index] for row in evidence.sample.rows]
    if len(set(first)) < max(len(first), MANY_ROWS):
        return
    counts = evidence.sample.counts(index)
    if max(counts.values()) == 1:
        raise DataError(
            f"{evidence.source}: it is not clear which column is the label: each row has another "
            f"value in {describe_candidates(evidence, [index])}; set data.label_column=NAME"
        )


def find_only_text(sample: Sample, candidates: Sequence[int]) -> int | None:
    """Return the only candidate with texts in all of the first rows; None unless there is one."""
    rows = sample.rows
    texts = [index for index in candidates if rows and all(is_text(row[index]) for row in rows)]
    return texts[0] if len(texts) == 1 else None


def is_one_hot(columns: Sequence[int], sample: Sample) -> bool:
    """Return whether exactly one of several columns is 1 in each row, and the others are 0."""
    if len(columns) < 2 or not sample.frame.height:
        return False
    numbers = {"0": 0, "1": 1, "0.0": 0, "1.0": 1, "false": 0, "true": 1}
    cells = [[numbers.get(cell.lower(), 2) for cell in sample.column(index)] for index in columns]
    sums = [sum(row) for row in zip(*cells, strict=True)]
    return all(total == 1 for total in sums) and not any(2 in column for column in cells)


def describe_candidates(evidence: Evidence, candidates: Sequence[int]) -> str:
    """Describe columns by name and number of distinct values."""
    parts = []
    for index in candidates[:MAX_SHOWN]:
        counts = evidence.sample.counts(index)
        first = ", ".join(shorten(cell) for cell in list(counts)[:3])
        more = ", ..." if len(counts) > 3 else ""
        parts.append(f"{evidence.name_of(index)} ({len(counts)} distinct values: {first}{more})")
    return " or ".join(parts)

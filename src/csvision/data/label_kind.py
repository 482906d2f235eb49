"""Decide by all labels of a file whether they are integers or texts."""

from collections import Counter
from collections.abc import Mapping
from enum import StrEnum

from csvision.data.cells import is_boolean, is_missing, is_number, parse_whole
from csvision.data.data_spec import LabelValues

MAX_FEW_ROWS = 5
"""A file of numbers with at most so many other labels has errors, not labels of text."""


class LabelKind(StrEnum):
    """What labels are."""

    integers = "integers"
    texts = "texts"
    unchecked = "unchecked"
    """Any text, also none, for a file whose labels do not matter."""


def decide_label_kind(counts: Mapping[str, int]) -> LabelKind:
    """Return what labels are, by the number of rows with each.

    They are integers if all are whole numbers without leading zeros; 6.0 is one, too. Some texts
    among them, each in a single row, are errors, as are missing values and fractions.
    """
    others = [text for text in counts if not is_plain_integer(text)]
    if not others:
        return LabelKind.integers
    if all(is_missing(text) or is_fraction(text) for text in others):
        whole = len(others) < len(counts) or any(map(is_fraction, others))
        return LabelKind.integers if whole else LabelKind.texts
    rows = Counter(counts)
    numbers = rows.total() - sum(rows[text] for text in others)
    single = all(rows[text] == 1 for text in others)
    few = len(others) <= MAX_FEW_ROWS and numbers > len(others)
    typos = single and few and not any(map(has_leading_zero, others))
    return LabelKind.integers if typos else LabelKind.texts


def is_plain_integer(text: str) -> bool:
    """Return whether a label is a whole number without leading zeros, such as 6, -1, 6.0 or 6e0."""
    return parse_whole(text) is not None and not has_leading_zero(text)


def is_fraction(text: str) -> bool:
    """Return whether a label is a number but no whole number."""
    return is_number(text) and not is_boolean(text) and parse_whole(text) is None


def has_leading_zero(text: str) -> bool:
    """Return whether a label is a whole number with a leading zero, such as 007."""
    digits = text.strip().lstrip("+-")
    return len(digits) > 1 and digits.startswith("0") and digits.isdecimal()


def parse_label(text: str, kind: LabelKind) -> int | str:
    """Return the value of a valid label."""
    if kind is not LabelKind.integers:
        return text
    value = parse_whole(text)
    assert value is not None
    return value


def kind_of(values: LabelValues) -> LabelKind:
    """Return what the labels of a table are."""
    return (
        LabelKind.texts if any(isinstance(value, str) for value in values) else LabelKind.integers
    )

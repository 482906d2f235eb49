"""The meaning of a cell: a number, a whole number, text, or a missing value."""

import re

NUMBER = re.compile(r"\s*[-+]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][-+]?[0-9]+)?\s*", re.ASCII)
WHOLE_NUMBER = re.compile(r"\s*([-+]?)0*([0-9]+)(\.0*)?\s*", re.ASCII)
MAX_DIGITS = 20
MAX_EXACT = 2**53
"""The whole numbers below have exact values as floats."""

MISSING_VALUES = ("", "nan", "na", "null", "none")
BOOLEANS = {"true": 1.0, "false": 0.0}


def parse_float(cell: str) -> float | None:
    """Return the number in a cell, 1 for true and 0 for false; None if it does not contain one."""
    if NUMBER.fullmatch(cell):
        return float(cell)
    return BOOLEANS.get(cell.strip().lower())


def parse_whole(cell: str) -> int | None:
    """Return the whole number in a cell, such as 6, 6.0 or 6e0; None if it contains none.

    A number with more than 20 digits is only said to be too large for 64 bits.
    """
    if match := WHOLE_NUMBER.fullmatch(cell):
        # Python refuses to parse thousands of digits.
        return int(match[1] + match[2][:MAX_DIGITS])
    if not NUMBER.fullmatch(cell):
        return None
    value = float(cell)
    return int(value) if abs(value) < MAX_EXACT and value == int(value) else None


def is_boolean(cell: str) -> bool:
    """Return whether a cell contains true or false."""
    return cell.strip().lower() in BOOLEANS


def is_number(cell: str) -> bool:
    """Return whether a cell contains a number, true or false."""
    return parse_float(cell) is not None


def is_missing(cell: str) -> bool:
    """Return whether a cell is empty or one of the usual words for a missing value."""
    return cell.strip().lower() in MISSING_VALUES


def is_text(cell: str) -> bool:
    """Return whether a cell contains text: neither a number nor a missing value."""
    return not is_number(cell) and not is_missing(cell)


def encoding_error(cell: str) -> str:
    """Return an error if a cell is empty or not valid UTF-8; else an empty string."""
    if not cell.strip():
        return "is missing"
    try:
        cell.encode()
    except UnicodeEncodeError:
        return "is not valid UTF-8"
    return ""


def missing_value_error(cell: str) -> str:
    """Return an error if a cell is missing or not valid UTF-8; else an empty string."""
    return "is missing" if is_missing(cell) else encoding_error(cell)

"""Format numbers for readers: few digits, thousands separators, Unicode minus."""

from collections.abc import Sequence
from math import floor, isfinite, isinf, isnan, log10

DIGITS = 4

CASE_DIGITS = 6
"""Digits of claimed and measured values; the notes claim values of up to six digits."""

SMALL = 1e-4
LARGE = 1e9

MINUS = "\N{MINUS SIGN}"
INFINITY = "\N{INFINITY}"
MISSING = "\N{EN DASH}"


def format_number(value: float, digits: int = DIGITS) -> str:
    """Return a number with its leading digits; integers in full, booleans as yes and no."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return unicode_minus(f"{value:,}")
    if not isfinite(value):
        return format_fixed(value, 0)
    if value and not SMALL <= abs(value) < LARGE:
        return unicode_minus(f"{value:.{digits - 1}g}")
    text = format_fixed(value, count_decimals(value, digits))
    return text.rstrip("0").rstrip(".") if "." in text else text


def format_fixed(value: float, decimals: int) -> str:
    """Return a number with a fixed number of decimals."""
    if isnan(value):
        return MISSING
    if isinf(value):
        return INFINITY if value > 0 else MINUS + INFINITY
    text = f"{value:,.{decimals}f}"
    # A small negative number would otherwise be shown as minus zero.
    return text.lstrip("-") if not text.strip("-0.,") else unicode_minus(text)


def unicode_minus(text: str) -> str:
    """Return a formatted number with a Unicode minus, which is as wide as a plus."""
    return text.replace("-", MINUS)


def count_decimals(value: float, digits: int) -> int:
    """Return the number of decimals that shows the leading digits of a number."""
    if not value or not isfinite(value):
        return 0
    return max(0, digits - 1 - floor(log10(abs(value))))


def format_column(values: Sequence[str | float]) -> list[str]:
    """Return the cells of a table column; its fractions have the same number of decimals."""
    sizes = [abs(v) for v in values if isinstance(v, float) and isfinite(v) and v]
    # Over a wide range, equal decimals would hide the small values.
    aligned = (
        bool(sizes) and max(sizes) < 1e5 and min(sizes) > 1e-4 and max(sizes) < 100 * min(sizes)
    )
    decimals = min(count_decimals(max(sizes), DIGITS), DIGITS) if aligned else 0
    return [
        format_fixed(value, decimals)
        if aligned and isinstance(value, float)
        else format_cell(value)
        for value in values
    ]


def format_cell(value: str | float) -> str:
    """Return a single cell of a table."""
    return value if isinstance(value, str) else format_number(value)


def format_distinct(one: float, two: float) -> tuple[str, str]:
    """Return two unequal numbers with enough digits to distinguish them."""
    for digits in range(CASE_DIGITS, 18):
        texts = format_number(one, digits), format_number(two, digits)
        if texts[0] != texts[1]:
            return texts
    return unicode_minus(repr(one)), unicode_minus(repr(two))


def format_si(value: float) -> str:
    """Return a number with an SI prefix, short enough for an axis: 20k, 1.5M."""
    for threshold, scale, prefix in ((1e9, 1e9, "G"), (1e6, 1e6, "M"), (1e4, 1e3, "k")):
        if abs(value) >= threshold:
            return unicode_minus(f"{value / scale:,.4g}{prefix}")
    return format_number(float(value))


def format_duration(seconds: float) -> str:
    """Return a duration in seconds, in minutes, or in hours and minutes."""
    if seconds < 1:
        return "less than a second"
    if seconds < 60:
        return f"{format_number(float(seconds), 2)} s"
    minutes = round(seconds / 60)
    if minutes < 60:
        return f"{minutes} min"
    return f"{minutes // 60} h {minutes % 60} min"

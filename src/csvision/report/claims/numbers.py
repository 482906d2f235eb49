"""Numbers as a reader wants them: few digits, thousands parted, a true minus."""

from collections.abc import Sequence
from math import floor, isfinite, isinf, isnan, log10

from csvision.claims.rules import Decision

DIGITS = 4

CASE_DIGITS = 6
"""Digits of what notes claim to the last of theirs."""

MOST_DECIMALS = 12
SMALL = 1e-4
LARGE = 1e9

MINUS = "\N{MINUS SIGN}"
INFINITY = "\N{INFINITY}"
ABSENT = "\N{EN DASH}"


def number(value: float, digits: int = DIGITS) -> str:
    """A number with its leading digits; integers in full, truths as yes and no."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return signed(f"{value:,}")
    if not isfinite(value) or (value and not SMALL <= abs(value) < LARGE):
        return fixed(value, 0) if not isfinite(value) else signed(f"{value:.{digits - 1}g}")
    text = fixed(value, decimals_for(value, digits))
    return text.rstrip("0").rstrip(".") if "." in text else text


def fixed(value: float, decimals: int) -> str:
    """A number with so many decimals."""
    if isnan(value):
        return ABSENT
    if isinf(value):
        return INFINITY if value > 0 else MINUS + INFINITY
    text = f"{value:,.{decimals}f}"
    # A small negative number would be shown as minus zero.
    return text.lstrip("-") if not text.strip("-0.,") else signed(text)


def signed(text: str) -> str:
    """A written number with a minus that is as wide as a plus."""
    return text.replace("-", MINUS)


def decimals_for(value: float, digits: int) -> int:
    """How many decimals show so many digits of a number."""
    if not value or not isfinite(value):
        return 0
    return max(0, digits - 1 - floor(log10(abs(value))))


def column(values: Sequence[str | float]) -> list[str]:
    """The cells of one column of a table, its fractions with equally many decimals."""
    sizes = [abs(v) for v in values if isinstance(v, float) and isfinite(v) and v]
    # Over a wide range equal decimals would show nothing of the small ones.
    even = bool(sizes) and max(sizes) < 1e5 and min(sizes) > 1e-4 and max(sizes) < 100 * min(sizes)
    decimals = min(decimals_for(max(sizes), DIGITS), DIGITS) if even else 0
    return [
        fixed(value, decimals) if even and isinstance(value, float) else cell(value)
        for value in values
    ]


def cell(value: str | float) -> str:
    """A value of a table by itself."""
    return value if isinstance(value, str) else number(value)


def apart(one: float, two: float) -> tuple[str, str]:
    """Two unequal numbers with as many digits as tell them apart."""
    for digits in range(CASE_DIGITS, 18):
        texts = number(one, digits), number(two, digits)
        if texts[0] != texts[1]:
            return texts
    return signed(repr(one)), signed(repr(two))


def interval_texts(decision: Decision, margin: float | None) -> tuple[str, str, str]:
    """Effect and both ends, to two digits of the interval's half width.

    Further decimals show on which side of the margin an end lies.
    """
    assert decision.effect is not None
    assert decision.low is not None
    assert decision.high is not None
    values = (decision.effect, decision.low, decision.high)
    finite = [value for value in values if isfinite(value)]
    half = (decision.high - decision.low) / 2
    if max(map(abs, finite)) >= LARGE or 0 < max(map(abs, finite)) < SMALL:
        return number(values[0], 3), number(values[1], 3), number(values[2], 3)
    narrow = half > 0 and isfinite(half)
    decimals = decimals_for(half, 2) if narrow else decimals_for(decision.effect, 3)
    decimals = min(decimals, MOST_DECIMALS)
    while decimals < MOST_DECIMALS and any(
        value != margin and margin is not None and round(value, decimals) == margin
        for value in finite[1:]
    ):
        decimals += 1
    return fixed(values[0], decimals), fixed(values[1], decimals), fixed(values[2], decimals)


def compact(value: float) -> str:
    """A number short enough for an axis: 20k, 1.5M."""
    for size, sign in ((1e9, "G"), (1e6, "M"), (1e4, "k")):
        if abs(value) >= size:
            return signed(f"{value / (1e3 if sign == 'k' else size):,.4g}{sign}")
    return number(float(value))


def duration(seconds: float) -> str:
    """A time in the two units that matter."""
    if seconds < 1:
        return "less than a second"
    if seconds < 60:
        return f"{number(float(seconds), 2)} s"
    minutes = round(seconds / 60)
    if minutes < 60:
        return f"{minutes} min"
    return f"{minutes // 60} h {minutes % 60} min"

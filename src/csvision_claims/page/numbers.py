"""Format the interval of a decision."""

from math import isfinite

from csvision.page.numbers import LARGE, SMALL, count_decimals, format_fixed, format_number
from csvision_claims.engine.rules import Decision

MAX_DECIMALS = 12


def format_interval(decision: Decision, margin: float | None) -> tuple[str, str, str]:
    """Return effect, lower and upper end, to two digits of the interval's half width.

    An end has more decimals if it would otherwise be shown as equal to the margin.
    """
    assert decision.effect is not None
    assert decision.low is not None
    assert decision.high is not None
    values = (decision.effect, decision.low, decision.high)
    finite = [value for value in values if isfinite(value)]
    half_width = (decision.high - decision.low) / 2
    if max(map(abs, finite)) >= LARGE or 0 < max(map(abs, finite)) < SMALL:
        return format_number(values[0], 3), format_number(values[1], 3), format_number(values[2], 3)
    if half_width > 0 and isfinite(half_width):
        decimals = count_decimals(half_width, 2)
    else:
        decimals = count_decimals(decision.effect, 3)
    decimals = min(decimals, MAX_DECIMALS)
    while decimals < MAX_DECIMALS and any(
        value != margin and margin is not None and round(value, decimals) == margin
        for value in finite[1:]
    ):
        decimals += 1
    effect, low, high = (format_fixed(value, decimals) for value in values)
    return effect, low, high

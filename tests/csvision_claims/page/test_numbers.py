"""Intervals formatted for readers."""

from math import inf

import pytest

from csvision_claims.engine.rules import Decision, Verdict
from csvision_claims.page.numbers import format_interval


@pytest.mark.parametrize(
    ("effect", "low", "high", "margin", "texts"),
    [
        (3.2134, 2.81, 3.62, 1.0, ("3.21", "2.81", "3.62")),
        (30.0, 10.0, 50.0, None, ("30", "10", "50")),
        # The low end lies above the margin, and is not shown as if it were the margin.
        (21.2, 1.2, 41.2, 1.0, ("21.2", "1.2", "41.2")),
        (0.5, 0.5, 0.5, 1.0, ("0.500", "0.500", "0.500")),
        (1.5, -inf, inf, 1.0, ("1.50", "\N{MINUS SIGN}\N{INFINITY}", "\N{INFINITY}")),
        (0.001, -0.004, 0.03, None, ("0.001", "\N{MINUS SIGN}0.004", "0.030")),
        (2e-7, 1e-7, 3e-7, 0.0, ("2e-07", "1e-07", "3e-07")),
    ],
)
def test_interval_has_two_digits_of_its_half_width(
    effect: float, low: float, high: float, margin: float | None, texts: tuple[str, ...]
) -> None:
    decision = Decision(Verdict.undecided, effect, low, high, 8)
    expected = tuple(text.replace("-", "\N{MINUS SIGN}") for text in texts)
    assert format_interval(decision, margin) == expected

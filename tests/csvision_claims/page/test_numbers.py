"""Numbers formatted for readers."""

from math import inf, nan

import pytest

from csvision_claims.engine.rules import Decision, Verdict
from csvision_claims.page.numbers import (
    format_column,
    format_distinct,
    format_duration,
    format_interval,
    format_number,
    format_si,
)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (0.0, "0"),
        (-0.0, "0"),
        (True, "yes"),
        (653772800, "653,772,800"),
        (-3, "\N{MINUS SIGN}3"),
        (0.92481, "0.9248"),
        (86.1, "86.1"),
        (1234.56, "1,235"),
        (10.0, "10"),
        (3.04e-15, "3.04e\N{MINUS SIGN}15"),
        (2.5e12, "2.5e+12"),
        (inf, "\N{INFINITY}"),
        (-inf, "\N{MINUS SIGN}\N{INFINITY}"),
        (nan, "\N{EN DASH}"),
    ],
)
def test_number_has_four_digits_and_integer_has_all(value: float, text: str) -> None:
    assert format_number(value) == text


@pytest.mark.parametrize(
    ("values", "texts"),
    [
        ([0.8613, 0.88], ["0.8613", "0.8800"]),
        ([86.125, 5.5], ["86.12", "5.50"]),
        ([525.26, 0.1092], ["525.3", "0.1092"]),
        ([0.5, ""], ["0.5000", ""]),
        ([1e-9, 0.5], ["1e\N{MINUS SIGN}09", "0.5"]),
        ([3, 1200, "x"], ["3", "1,200", "x"]),
        ([True, False], ["yes", "no"]),
        ([], []),
    ],
)
def test_column_has_equal_decimals_unless_a_number_would_be_hidden(
    values: list[str | float], texts: list[str]
) -> None:
    assert format_column(values) == texts


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


def test_unequal_numbers_have_different_texts() -> None:
    assert format_distinct(30, 28) == ("30", "28")
    assert format_distinct(0.1, 0.1 + 1e-9) == ("0.1", "0.100000001")
    assert format_distinct(1.0, 1.0 + 2**-52) == ("1", "1.0000000000000002")


@pytest.mark.parametrize(
    ("value", "text"), [(0.5, "0.5"), (2000.0, "2,000"), (20_000.0, "20k"), (1.5e6, "1.5M")]
)
def test_axis_labels_are_short(value: float, text: str) -> None:
    assert format_si(value) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.2, "less than a second"), (4.14, "4.1 s"), (90.0, "2 min"), (7500.0, "2 h 5 min")],
)
def test_duration_has_its_two_largest_units(seconds: float, text: str) -> None:
    assert format_duration(seconds) == text

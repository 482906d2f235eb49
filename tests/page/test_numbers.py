"""Numbers formatted for readers."""

from math import inf, nan

import pytest

from csvision.page.numbers import (
    format_column,
    format_distinct,
    format_duration,
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

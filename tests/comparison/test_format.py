"""Numbers of a comparison as text."""

import pytest

from csvision.comparison.format import p_equation


@pytest.mark.parametrize(
    ("value", "text"), [(0.00001, "p < 0.0001"), (0.0001, "p = 0.0001"), (None, "p = -")]
)
def test_p_value_has_one_relation(value: float | None, text: str) -> None:
    assert p_equation(value) == text

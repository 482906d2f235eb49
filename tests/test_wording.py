"""Parts of messages."""

import pytest

from csvision.comparison.format import p_equation
from csvision.wording import did_you_mean, pluralize


@pytest.mark.parametrize(
    ("count", "text"), [(0, "0 rows"), (1, "1 row"), (2, "2 rows"), (1200, "1,200 rows")]
)
def test_noun_is_singular_for_one_only(count: int, text: str) -> None:
    assert pluralize(count, "row") == text


def test_similar_name_is_suggested() -> None:
    assert did_you_mean("val/los", ["val/acc", "val/loss"]) == "did you mean val/loss?"
    assert did_you_mean("speed", ["val/acc", "val/loss"]) == ""


@pytest.mark.parametrize(
    ("value", "text"), [(0.00001, "p < 0.0001"), (0.0001, "p = 0.0001"), (None, "p = -")]
)
def test_p_value_has_one_relation(value: float | None, text: str) -> None:
    assert p_equation(value) == text

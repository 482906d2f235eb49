"""Parts of messages."""

import pytest

from csvision.wording import did_you_mean, pluralize


@pytest.mark.parametrize(
    ("count", "text"), [(0, "0 rows"), (1, "1 row"), (2, "2 rows"), (1200, "1,200 rows")]
)
def test_noun_is_singular_for_one_only(count: int, text: str) -> None:
    assert pluralize(count, "row") == text


def test_similar_name_is_suggested() -> None:
    assert did_you_mean("val/los", ["val/acc", "val/loss"]) == "did you mean val/loss?"
    assert did_you_mean("speed", ["val/acc", "val/loss"]) == ""

"""Labels are integers or texts by all rows, not by the first ones."""

from collections import Counter

import pytest

from csvision.data.label_kind import LabelKind, decide_label_kind, parse_label


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        ("0 1 2", "integers"),
        ("6.0 7.0 6.0", "integers"),
        ("1e0 2e0", "integers"),
        ("-1 +2", "integers"),
        ("007 008", "texts"),
        ("0 1 007", "texts"),
        ("cat dog", "texts"),
        ("0 1 2 A A B B", "texts"),
        ("na none null", "texts"),
        ("na none cat", "texts"),
        ("0 1 0 1 x", "integers"),
        ("0 1 0 1 nan", "integers"),
        ("0 1 0 1.5", "integers"),
        ("1.5 2.5", "integers"),
        ("x y 0 1", "texts"),
        ("true false true", "texts"),
        ("true 0", "texts"),
    ],
)
def test_kind_is_decided_by_all_labels(labels: str, expected: str) -> None:
    assert decide_label_kind(Counter(labels.split())) == expected


def test_values_are_parsed_by_kind() -> None:
    texts = ["7", "7.0", "7e0", "+7"]
    assert [parse_label(text, LabelKind.integers) for text in texts] == [7] * 4
    assert [parse_label(text, LabelKind.texts) for text in texts] == texts

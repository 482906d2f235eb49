"""Names of classes belong to labels: a list never gives labels the names of other labels."""

from pathlib import Path
from typing import Any

import pytest

from csvision.data.class_names import name_classes, preview
from csvision.errors import DataError

PATH = Path("images.csv")
SHAPES: list[int | str] = ["circle", "cross", "square"]


def error_of(found: list[int | str], names: Any) -> str:
    """Return the only message for names that do not fit the labels."""
    with pytest.raises(DataError) as caught:
        name_classes(PATH, found, names)
    (message,) = caught.value.messages
    assert message.startswith("images.csv: ")
    return message


@pytest.mark.parametrize(
    "names",
    [
        ["square", "circle", "cross"],
        ["circle", "square", "cross"],
        ["circle", "cross"],
        ["circle", "cross", "other"],
    ],
)
def test_labels_in_another_order_are_rejected(names: list[str]) -> None:
    message = error_of(SHAPES, names)
    assert "another order" in message
    assert "circle, cross, square" in message
    assert "data.classes={LABEL: NAME, ...}" in message


def test_list_that_equals_the_labels_is_accepted() -> None:
    assert name_classes(PATH, SHAPES, list(SHAPES)) == (SHAPES, SHAPES)  # type: ignore[arg-type]


def test_list_is_rejected_for_text_labels() -> None:
    assert "the labels are texts" in error_of(SHAPES, ["Kreis", "Kreuz", "Quadrat"])


@pytest.mark.parametrize("names", [["1", "0", "2"], [1, 0, 2]])
def test_integer_labels_in_another_order_are_rejected(names: list[Any]) -> None:
    assert "another order" in error_of([0, 1, 2], names)


def test_mapping_renames_labels() -> None:
    named = name_classes(PATH, SHAPES, {"circle": "Kreis", "cross": "Kreuz"})
    assert named == (SHAPES, ["Kreis", "Kreuz", "square"])
    assert name_classes(PATH, [3, 5], {"5": "five"}) == ([3, 5], ["3", "five"])
    assert name_classes(PATH, [3, 5], {5: "five"}) == ([3, 5], ["3", "five"])  # type: ignore[dict-item]


def test_mapping_may_exchange_names() -> None:
    names = {"circle": "cross", "cross": "circle"}
    assert name_classes(PATH, SHAPES, names)[1] == ["cross", "circle", "square"]


def test_mapping_of_an_unknown_label_is_rejected() -> None:
    message = error_of(SHAPES, {"triangle": "Dreieck"})
    assert "renames triangle" in message
    assert "circle, cross, square" in message


def test_mapping_that_gives_two_labels_one_name_is_rejected() -> None:
    assert "two labels the name cross" in error_of(SHAPES, {"circle": "cross"})


def test_list_that_gives_two_labels_one_name_is_rejected() -> None:
    assert "two labels the name cat" in error_of([0, 1, 2], ["cat", "dog", "cat"])


def test_long_lists_of_labels_are_shortened() -> None:
    assert preview(range(100)) == "0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, ... 99"
    assert preview(["a\x1b[2J"]) == "a?[2J"

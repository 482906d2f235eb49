"""Pictures: the counts they show, names taken as they are, wrong predictions that stand out."""

from io import BytesIO

import numpy as np
import pytest
from matplotlib.figure import Figure
from matplotlib.text import Text
from numpy.typing import NDArray

from csvision.data.split import Part
from csvision.data.table import table_of
from csvision.report.figures import confusion_figure, prediction_sheet
from csvision.run.results import Evaluation

ODD_NAMES = ["$5", "$a$", "<b>", r"$\nosuch{$", "a_b^c", r"\$", "50%", "&amp;"]
"""Formulas to matplotlib, markup to a browser; here names."""


def pixels(figure: Figure) -> NDArray[np.uint8]:
    """A figure as it is drawn."""
    file = BytesIO()
    figure.savefig(file, format="rgba")
    return np.frombuffer(file.getvalue(), np.uint8)


def drawn(text: Text) -> str:
    """A text as matplotlib draws it, which is not as a formula."""
    shown, formula = text._preprocess_math(text.get_text())  # type: ignore[attr-defined]
    assert formula is False
    return str(shown)


class TestConfusion:
    confusion = np.array([[5, 0, 1], [2, 11, 0], [0, 0, 0]])

    def test_shows_each_count_where_it_belongs(self) -> None:
        (axes,) = confusion_figure(self.confusion, ["cat", "dog", "owl"]).axes
        shown = {text.get_position()[::-1]: text.get_text() for text in axes.texts}
        assert shown == {
            (row, column): str(self.confusion[row, column])
            for row, column in np.ndindex(self.confusion.shape)
        }
        assert axes.get_xlabel() == "predicted class"
        assert axes.get_ylabel() == "true class"
        for labels in (axes.get_xticklabels(), axes.get_yticklabels()):
            assert [label.get_text() for label in labels] == ["cat", "dog", "owl"]

    def test_shades_the_share_of_the_true_class(self) -> None:
        (axes,) = confusion_figure(self.confusion, ["cat", "dog", "owl"]).axes
        (image,) = axes.images
        expected = np.array([[5 / 6, 0, 1 / 6], [2 / 13, 11 / 13, 0], [0, 0, 0]])
        np.testing.assert_allclose(np.asarray(image.get_array()), expected)

    def test_can_be_read_on_any_shade(self) -> None:
        (axes,) = confusion_figure(self.confusion, ["cat", "dog", "owl"]).axes
        colors = {text.get_text(): text.get_color() for text in axes.texts}
        assert colors["11"] == "white"
        assert colors["2"] == "black"

    def test_shows_names_of_classes_as_text(self) -> None:
        count = len(ODD_NAMES)
        figure = confusion_figure(np.eye(count, dtype=np.int64), ODD_NAMES)
        pixels(figure)
        (axes,) = figure.axes
        for labels in (axes.get_xticklabels(), axes.get_yticklabels()):
            assert [drawn(label) for label in labels] == ODD_NAMES


def evaluation(
    count: int, channels: int = 1, classes: tuple[str, str] = ("cat", "dog")
) -> Evaluation:
    """Images whose brightness is their number; every third is taken for the other class."""
    images = np.zeros((count, channels, 4, 4), np.uint8)
    images += np.arange(count, dtype=np.uint8).reshape(-1, 1, 1, 1)
    images[:, 0] += 100
    labels = np.arange(count) % 2
    # The rows of a test part are in no order.
    rows = np.arange(count)[::-1]
    predictions = np.where(rows % 3 == 0, 1 - labels[rows], labels[rows])
    probabilities = np.where(np.eye(2)[predictions] == 1, 0.9, 0.1).astype(np.float32)
    table = table_of(images, labels, [0, 1], list(classes))
    zeros = np.zeros((2, 2), np.int64)
    return Evaluation(Part(table, rows), {}, probabilities, zeros, np.zeros(2, np.float32))


class TestSheet:
    def test_shows_the_first_images_with_prediction_and_probability(self) -> None:
        figure = prediction_sheet(evaluation(20), 11)
        shown = [axes for axes in figure.axes if axes.images]
        assert len(figure.axes) == 16
        assert len(shown) == 11
        for axes, row in zip(shown, range(19, 8, -1), strict=True):
            (image,) = axes.images
            assert image.get_clim() == (0, 255)
            np.testing.assert_array_equal(image.get_array(), np.full((4, 4), 100 + row))
            predicted = row % 2 if row % 3 else 1 - row % 2
            assert axes.get_title().startswith(f"{('cat', 'dog')[predicted]} 90%")

    def test_marks_what_is_wrong(self) -> None:
        shown = [axes for axes in prediction_sheet(evaluation(20), 20).axes if axes.images]
        for axes, row in zip(shown, range(19, -1, -1), strict=True):
            wrong = row % 3 == 0
            told = f"\nnot {('cat', 'dog')[row % 2]}"
            assert axes.get_title().endswith(told) is wrong
            assert axes.title.get_color() == ("firebrick" if wrong else "black")

    @pytest.mark.parametrize("count", [1, 3, 8, 9])
    def test_may_have_fewer_images_than_places(self, count: int) -> None:
        figure = prediction_sheet(evaluation(count), 32)
        assert sum(bool(axes.images) for axes in figure.axes) == count
        assert len(figure.axes) == (8 if count <= 8 else 16)
        assert not [axes for axes in figure.axes if axes.axison]
        assert len(set(pixels(figure))) > 2

    def test_shows_three_channels_in_colour(self) -> None:
        figure = prediction_sheet(evaluation(2, channels=3), 2)
        (image,) = figure.axes[0].images
        expected = np.full((4, 4, 3), [101, 1, 1])
        np.testing.assert_array_equal(image.get_array(), expected)

    def test_shows_the_first_of_two_channels_in_grey(self) -> None:
        (image,) = prediction_sheet(evaluation(2, channels=2), 2).axes[0].images
        np.testing.assert_array_equal(image.get_array(), np.full((4, 4), 101))

    def test_shows_names_of_classes_as_text(self) -> None:
        figure = prediction_sheet(evaluation(2, classes=("$a$", r"$\nosuch{$")), 2)
        pixels(figure)
        titles = [drawn(axes.title) for axes in figure.axes[:2]]
        assert titles == [r"$\nosuch{$ 90%", "$\\nosuch{$ 90%\nnot $a$"]

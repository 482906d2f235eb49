"""Plots: the values they show, class names as literal text, and marks for wrong predictions."""

from io import BytesIO

import matplotlib
import numpy as np
import pytest
from matplotlib.figure import Figure
from matplotlib.text import Text
from numpy.typing import NDArray

from csvision.data.splits import Subset
from csvision.data.table import ImageTable
from csvision.evaluation import EvalResult
from csvision.plots import GAP, plot_confusion_matrix, plot_predictions, plot_samples

SPECIAL_NAMES = ["$5", "$a$", "<b>", r"$\nosuch{$", "a_b^c", r"\$", "50%", "&amp;"]
"""Class names that matplotlib or a browser would interpret as markup."""


def render(figure: Figure) -> NDArray[np.uint8]:
    """Return the pixels of a figure."""
    file = BytesIO()
    figure.savefig(file, format="rgba")
    return np.frombuffer(file.getvalue(), np.uint8)


def displayed(text: Text) -> str:
    """Return a text as matplotlib displays it; it must not be read as a formula."""
    shown, formula = text._preprocess_math(text.get_text())  # type: ignore[attr-defined]
    assert formula is False
    return str(shown)


@pytest.mark.parametrize(("classes", "side"), [(4, 4.5), (30, 17.5), (31, 17.5), (2000, 17.5)])
def test_confusion_matrix_of_many_classes_stays_small(classes: int, side: float) -> None:
    figure = plot_confusion_matrix(np.eye(classes, dtype=np.int64), [*map(str, range(classes))])
    assert figure.get_size_inches().tolist() == [side, side]
    assert len(figure.axes[0].texts) == (classes**2 if classes <= 30 else 0)


def test_settings_of_the_user_are_neither_used_nor_changed() -> None:
    counts, classes = np.eye(2, dtype=np.int64), ["a", "b"]
    expected = render(plot_confusion_matrix(counts, classes))
    with matplotlib.rc_context({"text.usetex": True, "font.size": 30.0}):
        np.testing.assert_array_equal(render(plot_confusion_matrix(counts, classes)), expected)
        assert matplotlib.rcParams["font.size"] == 30.0


class TestConfusionMatrix:
    counts = np.array([[5, 0, 1], [2, 11, 0], [0, 0, 0]])

    def test_shows_each_count_in_its_cell(self) -> None:
        (axes,) = plot_confusion_matrix(self.counts, ["cat", "dog", "owl"]).axes
        shown = {text.get_position()[::-1]: text.get_text() for text in axes.texts}
        assert shown == {
            (row, column): str(self.counts[row, column])
            for row, column in np.ndindex(self.counts.shape)
        }
        assert axes.get_xlabel() == "predicted class"
        assert axes.get_ylabel() == "true class"
        for labels in (axes.get_xticklabels(), axes.get_yticklabels()):
            assert [label.get_text() for label in labels] == ["cat", "dog", "owl"]

    def test_color_is_the_fraction_of_the_true_class(self) -> None:
        (axes,) = plot_confusion_matrix(self.counts, ["cat", "dog", "owl"]).axes
        (image,) = axes.images
        expected = np.array([[5 / 6, 0, 1 / 6], [2 / 13, 11 / 13, 0], [0, 0, 0]])
        np.testing.assert_allclose(np.asarray(image.get_array()), expected)

    def test_counts_are_readable_on_dark_and_light_cells(self) -> None:
        (axes,) = plot_confusion_matrix(self.counts, ["cat", "dog", "owl"]).axes
        colors = {text.get_text(): text.get_color() for text in axes.texts}
        assert colors["11"] == "white"
        assert colors["2"] == "black"

    def test_class_names_are_literal_text(self) -> None:
        count = len(SPECIAL_NAMES)
        figure = plot_confusion_matrix(np.eye(count, dtype=np.int64), SPECIAL_NAMES)
        render(figure)
        (axes,) = figure.axes
        for labels in (axes.get_xticklabels(), axes.get_yticklabels()):
            assert [displayed(label) for label in labels] == SPECIAL_NAMES


def result_of(
    count: int, channels: int = 1, classes: tuple[str, str] = ("cat", "dog")
) -> EvalResult:
    """Return a result for images whose brightness is their index; every third is misclassified."""
    images = np.zeros((count, channels, 4, 4), np.uint8)
    images += np.arange(count, dtype=np.uint8).reshape(-1, 1, 1, 1)
    images[:, 0] += 100
    labels = np.arange(count) % 2
    # The rows of a test split are not sorted.
    rows = np.arange(count)[::-1]
    predictions = np.where(rows % 3 == 0, 1 - labels[rows], labels[rows])
    probabilities = np.where(np.eye(2)[predictions] == 1, 0.9, 0.1).astype(np.float32)
    table = ImageTable.from_arrays(images, labels, [0, 1], list(classes))
    return EvalResult(Subset(table, rows), {}, probabilities, predictions)


def shown_predictions(figure: Figure, count: int) -> list[tuple[NDArray[np.uint8], Text]]:
    """Return the image and the title of each prediction in a figure of images of 4x4 pixels."""
    (axes,) = figure.axes
    (sheet,) = axes.images
    assert sheet.get_clim() == (0, 255)
    pixels = np.asarray(sheet.get_array())
    assert len(axes.texts) == count
    shown = []
    for title in axes.texts:
        center, bottom = title.get_position()
        left, top = round(center - 2), int(np.ceil(bottom))
        shown.append((pixels[top : top + 4, left : left + 4].copy(), title))
        pixels[top : top + 4, left : left + 4] = 255
    # Nothing is outside of the images.
    assert (pixels == 255).all()
    return shown


class TestPredictions:
    def test_shows_the_first_images_with_prediction_and_probability(self) -> None:
        figure = plot_predictions(result_of(20), 11)
        for (image, title), row in zip(
            shown_predictions(figure, 11), range(19, 8, -1), strict=True
        ):
            np.testing.assert_array_equal(image, np.full((4, 4), 100 + row))
            predicted = row % 2 if row % 3 else 1 - row % 2
            assert title.get_text().startswith(f"{('cat', 'dog')[predicted]} 90%")

    def test_wrong_predictions_are_red_and_name_the_true_class(self) -> None:
        shown = shown_predictions(plot_predictions(result_of(20), 20), 20)
        for (_, title), row in zip(shown, range(19, -1, -1), strict=True):
            wrong = row % 3 == 0
            true_class = f"\nnot {('cat', 'dog')[row % 2]}"
            assert title.get_text().endswith(true_class) is wrong
            assert title.get_color() == ("firebrick" if wrong else "black")

    @pytest.mark.parametrize("count", [1, 3, 8, 9])
    def test_each_row_has_eight_images(self, count: int) -> None:
        figure = plot_predictions(result_of(count), 32)
        shown_predictions(figure, count)
        assert figure.get_size_inches().tolist() == [12, 1.8 if count <= 8 else 3.6]
        assert not figure.axes[0].axison
        assert len(set(render(figure))) > 2

    def test_titles_do_not_overlap_images_or_each_other(self) -> None:
        figure = plot_predictions(result_of(32), 32)
        render(figure)
        boxes = [text.get_window_extent() for text in figure.axes[0].texts]
        for index, box in enumerate(boxes):
            assert not box.count_overlaps(boxes[:index])
            assert box.y1 <= figure.bbox.y1
        (sheet,) = figure.axes[0].images
        # The axes fill the figure, so that a cell is 1.5 inches wide.
        assert figure.axes[0].get_window_extent().width == pytest.approx(figure.bbox.width)
        assert np.asarray(sheet.get_array()).shape == (4 * 6, 8 * 5)

    def test_three_channels_are_shown_in_color(self) -> None:
        result = result_of(2, channels=3)
        (sheet,) = plot_predictions(result, 2).axes[0].images
        pixels = np.asarray(sheet.get_array())
        assert {tuple(pixel) for pixel in pixels.reshape(-1, 3)} == {
            (255, 255, 255),
            (101, 1, 1),
            (100, 0, 0),
        }

    def test_first_of_two_channels_is_shown_in_gray(self) -> None:
        (sheet,) = plot_predictions(result_of(2, channels=2), 2).axes[0].images
        assert set(np.unique(np.asarray(sheet.get_array()))) == {100, 101, 255}

    def test_class_names_are_literal_text(self) -> None:
        figure = plot_predictions(result_of(2, classes=("$a$", r"$\nosuch{$")), 2)
        render(figure)
        titles = [displayed(text) for text in figure.axes[0].texts]
        assert titles == [r"$\nosuch{$ 90%", "$\\nosuch{$ 90%\nnot $a$"]


def sample_sheet(subset: Subset) -> NDArray[np.uint8]:
    """Return the pixels of the image in a plot of samples."""
    (axes,) = plot_samples(subset).axes
    (image,) = axes.images
    return np.asarray(image.get_array())


class TestSamples:
    def test_each_class_has_a_row_of_its_first_images(self) -> None:
        images = np.array([[1, 2, 3, 4], [9, 9, 9, 0], [5, 6, 7, 8]], np.uint8)
        labels = np.array([1, 0, 1])
        table = ImageTable.from_arrays(images.reshape(3, 1, 2, 2), labels, [5, 7], ["5", "7"])
        sheet = sample_sheet(Subset.full(table))
        assert sheet[:2, :2].tolist() == [[9, 9], [9, 0]]
        assert sheet[2 + GAP : 4 + GAP, :2].tolist() == [[1, 2], [3, 4]]
        assert sheet[2 + GAP : 4 + GAP, 2 + GAP : 4 + GAP].tolist() == [[5, 6], [7, 8]]
        assert (sheet[2 : 2 + GAP] == 255).all()

    def test_three_channels_are_shown_in_color(self) -> None:
        images = np.random.default_rng(0).integers(0, 256, (3, 3, 2, 2), dtype=np.uint8)
        table = ImageTable.from_arrays(images, np.array([0, 1, 0]), [0, 1], ["cat", "dog"])
        sheet = sample_sheet(Subset.full(table))
        pixels = images.transpose(0, 2, 3, 1)
        np.testing.assert_array_equal(sheet[:2, :2], pixels[0])
        np.testing.assert_array_equal(sheet[2 + GAP : 4 + GAP, :2], pixels[1])
        np.testing.assert_array_equal(sheet[:2, 2 + GAP : 4 + GAP], pixels[2])

    def test_class_names_are_literal_text_and_classes_may_be_empty(self) -> None:
        classes = ["$x$", "$", "__"]
        images = np.zeros((2, 1, 2, 2), np.uint8)
        table = ImageTable.from_arrays(images, np.array([0, 2]), [0, 1, 2], classes)
        figure = plot_samples(Subset.full(table))
        render(figure)
        (axes,) = figure.axes
        assert [displayed(label) for label in axes.get_yticklabels()] == classes

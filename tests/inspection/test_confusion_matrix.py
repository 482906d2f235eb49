"""The confusion matrix of a page."""

import numpy as np
from sklearn.metrics import confusion_matrix

from csvision.inspection.confusion_matrix import MAX_CLASSES, matrix_cells, small_matrix
from tests.inspection.examples import eval_result


def test_counts_are_those_of_sklearn() -> None:
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 4, 50)
    result = eval_result(rng.dirichlet(np.ones(4), 50), labels)
    expected = confusion_matrix(labels, result.predictions, labels=range(4))
    assert small_matrix(result) == expected.tolist()


def test_many_classes_have_no_matrix() -> None:
    for classes, shown in ((MAX_CLASSES, True), (MAX_CLASSES + 1, False)):
        result = eval_result(np.eye(classes), np.arange(classes))
        assert (small_matrix(result) is not None) is shown


def test_color_is_the_share_of_the_rows_of_the_class() -> None:
    cells = matrix_cells([[99, 1, 0], [0, 0, 0], [5, 5, 10]])
    assert [[cell.shade for cell in row] for row in cells] == [[4, 1, 0], [0, 0, 0], [1, 1, 2]]
    assert [[cell.correct for cell in row] for row in cells] == np.eye(3, dtype=bool).tolist()

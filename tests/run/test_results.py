"""The outcome of a test: per-class figures worked by hand, tables of predictions, files."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from csvision.data.split import Part
from csvision.data.table import table_of
from csvision.run.results import Evaluation, class_table, prediction_table, write_results

TABLE = table_of(
    images=np.zeros((6, 1, 2, 2), np.uint8),
    labels=np.array([0, 0, 0, 1, 1, 0]),
    label_values=[3, 5, 8],
    classes=["cat", "dog", "owl"],
)
"""No row of the third class."""

PART = Part(TABLE, np.array([4, 0, 3, 1, 2]))


@pytest.fixture
def evaluation() -> Evaluation:
    """Labels 1 0 1 0 0 taken for 1 0 0 0 2."""
    probabilities = np.array(
        [[0.1, 0.8, 0.1], [0.7, 0.2, 0.1], [0.6, 0.3, 0.1], [0.9, 0.1, 0.0], [0.1, 0.2, 0.7]],
        np.float32,
    )
    confusion = np.array([[2, 0, 1], [1, 1, 0], [0, 0, 0]])
    accuracies = np.array([2 / 3, 1 / 2, 0], np.float32)
    return Evaluation(PART, {"test/acc": 0.6}, probabilities, confusion, accuracies)


def test_prediction_is_the_most_probable_class(evaluation: Evaluation) -> None:
    assert evaluation.predictions.tolist() == [1, 0, 0, 0, 2]


class TestClassTable:
    def test_has_the_figures_worked_by_hand(self, evaluation: Evaluation) -> None:
        table = class_table(evaluation).set_index("class")
        assert [*table.index] == ["cat", "dog", "owl"]
        assert [*table["rows"]] == [3, 2, 0]
        assert [*table.loc["cat", ["precision", "recall", "f1"]]] == [2 / 3, 2 / 3, 2 / 3]
        assert [*table.loc["dog", ["precision", "recall", "f1"]]] == [1, 1 / 2, 2 / 3]

    def test_has_no_recall_for_a_class_without_rows(self, evaluation: Evaluation) -> None:
        owl = class_table(evaluation).set_index("class").loc["owl"]
        assert np.isnan(owl["recall"])
        assert owl["precision"] == 0


class TestPredictionTable:
    def test_speaks_in_rows_and_labels_of_the_file(self, evaluation: Evaluation) -> None:
        table = prediction_table(PART, evaluation.probabilities, PART.labels)
        assert [*table["row"]] == [4, 0, 3, 1, 2]
        assert [*table["label"]] == [5, 3, 5, 3, 3]
        assert [*table["prediction"]] == [5, 3, 3, 3, 8]
        names = ["probability cat", "probability dog", "probability owl"]
        np.testing.assert_array_equal(table[names], evaluation.probabilities)

    def test_has_no_labels_when_there_are_none(self, evaluation: Evaluation) -> None:
        assert "label" not in prediction_table(PART, evaluation.probabilities)


def test_files_can_be_read_back(evaluation: Evaluation, tmp_path: Path) -> None:
    write_results(evaluation, {"test/acc": 0.6, "val/acc": 0.5}, tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "confusion_matrix.csv",
        "metrics.json",
        "per_class.csv",
        "predictions.csv",
    ]
    assert json.loads((tmp_path / "metrics.json").read_text(encoding="utf-8")) == {
        "test/acc": 0.6,
        "val/acc": 0.5,
        "test/acc by class": {"cat": pytest.approx(2 / 3), "dog": 0.5, "owl": None},
    }
    confusion = pd.read_csv(tmp_path / "confusion_matrix.csv", index_col="true class")
    assert [*confusion.index] == [*confusion.columns] == ["cat", "dog", "owl"]
    np.testing.assert_array_equal(confusion, evaluation.confusion)
    assert [*pd.read_csv(tmp_path / "predictions.csv")["row"]] == [4, 0, 3, 1, 2]
    assert [*pd.read_csv(tmp_path / "per_class.csv")["rows"]] == [3, 2, 0]

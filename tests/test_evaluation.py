"""EvalResult: metrics per class computed by hand, tables of predictions, files of results."""

import json
from collections.abc import Iterator
from pathlib import Path
from unittest import mock

import numpy as np
import pandas as pd
import pytest
import torch
from torch import Tensor

from csvision.classifier import Classifier
from csvision.data.splits import Subset
from csvision.data.table import ImageTable
from csvision.evaluation import (
    EvalResult,
    classification_report,
    evaluate_split,
    explain_undefined,
    format_metrics,
    gather_logits,
    prediction_table,
    write_results,
)
from csvision.run.log import ignore_known_warnings
from tests.conftest import silent_trainer

TABLE = ImageTable.from_arrays(
    images=np.zeros((6, 1, 2, 2), np.uint8),
    labels=np.array([0, 0, 0, 1, 1, 0]),
    label_values=[3, 5, 8],
    classes=["cat", "dog", "owl"],
)
"""A table without rows of the third class."""

SUBSET = Subset(TABLE, np.array([4, 0, 3, 1, 2]))

CONFUSION_MATRIX = [[2, 0, 1], [1, 1, 0], [0, 0, 0]]


@pytest.fixture
def result() -> EvalResult:
    """The labels are 1 0 1 0 0, the predictions 1 0 0 0 2."""
    probabilities = np.array(
        [[0.1, 0.8, 0.1], [0.7, 0.2, 0.1], [0.6, 0.3, 0.1], [0.9, 0.1, 0.0], [0.1, 0.2, 0.7]],
        np.float32,
    )
    return EvalResult(SUBSET, {"test/acc": 0.6}, probabilities, probabilities.argmax(axis=1))


def test_confusion_matrix_has_a_row_per_true_class(result: EvalResult) -> None:
    assert result.confusion_matrix.tolist() == CONFUSION_MATRIX


def test_per_class_accuracy_is_nan_for_a_class_without_rows(result: EvalResult) -> None:
    np.testing.assert_array_equal(result.per_class_accuracy, [2 / 3, 1 / 2, np.nan])


class TestClassificationReport:
    def test_has_the_values_computed_by_hand(self, result: EvalResult) -> None:
        table = classification_report(result).set_index("class")
        assert [*table.index] == ["cat", "dog", "owl"]
        assert [*table["rows"]] == [3, 2, 0]
        assert [*table.loc["cat", ["precision", "recall", "f1"]]] == [2 / 3, 2 / 3, 2 / 3]
        assert [*table.loc["dog", ["precision", "recall", "f1"]]] == [1, 1 / 2, 2 / 3]

    def test_recall_is_nan_for_a_class_without_rows(self, result: EvalResult) -> None:
        owl = classification_report(result).set_index("class").loc["owl"]
        assert np.isnan(owl["recall"])
        assert owl["precision"] == 0

    def test_undefined_values_are_explained(self, result: EvalResult) -> None:
        report = classification_report(result)
        assert explain_undefined(report) == ["-: owl has no image, so the recall is not defined"]
        report.loc[:1, "precision"] = np.nan
        assert explain_undefined(report)[0] == (
            "-: cat, dog is predicted for no image, so the precision is not defined"
        )
        assert explain_undefined(report[2:].fillna(0)) == []


class TestPredictionTable:
    def test_has_rows_and_label_values_of_the_file(self, result: EvalResult) -> None:
        table = prediction_table(SUBSET, result.probabilities, result.predictions, SUBSET.labels)
        assert [*table["row"]] == [4, 0, 3, 1, 2]
        assert [*table["label"]] == [5, 3, 5, 3, 3]
        assert [*table["prediction"]] == [5, 3, 3, 3, 8]
        names = ["probability cat", "probability dog", "probability owl"]
        np.testing.assert_array_equal(table[names], result.probabilities)

    def test_has_no_label_column_without_labels(self, result: EvalResult) -> None:
        assert "label" not in prediction_table(SUBSET, result.probabilities, result.predictions)


def test_written_files_can_be_read_back(result: EvalResult, tmp_path: Path) -> None:
    write_results(result, {"test/acc": 0.6, "val/acc": 0.5}, tmp_path)
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
    counts = pd.read_csv(tmp_path / "confusion_matrix.csv", index_col="true class")
    assert [*counts.index] == [*counts.columns] == ["cat", "dog", "owl"]
    np.testing.assert_array_equal(counts, CONFUSION_MATRIX)
    assert [*pd.read_csv(tmp_path / "predictions.csv")["row"]] == [4, 0, 3, 1, 2]
    assert [*pd.read_csv(tmp_path / "per_class.csv")["rows"]] == [3, 2, 0]


def test_metrics_are_formatted_in_alphabetical_order() -> None:
    assert format_metrics({"val/acc": 0.5, "test/acc": 2 / 3}) == "test/acc 0.6667  val/acc 0.5000"


class TestEvaluateSplit:
    @pytest.fixture(autouse=True)
    def warnings_of_lightning(self) -> Iterator[None]:
        with ignore_known_warnings():
            yield

    @pytest.fixture
    def images(self) -> Subset:
        generator = np.random.default_rng(0)
        images = generator.integers(0, 256, (40, 1, 2, 2), dtype=np.uint8)
        labels = generator.integers(0, 3, 40)
        table = ImageTable.from_arrays(images, labels, [3, 5, 8], ["cat", "dog", "owl"])
        return Subset(table, generator.permutation(40)[:23])

    @pytest.fixture
    def classifier(self) -> Classifier:
        torch.manual_seed(0)
        network = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(4, 3))
        return Classifier(network, ["cat", "dog", "owl"])

    def test_probabilities_and_predictions_are_those_of_the_classifier(
        self, images: Subset, classifier: Classifier
    ) -> None:
        result = evaluate_split(silent_trainer(), classifier, images, batch_size=5)
        inputs = torch.from_numpy(images.table.images[images.indices])
        expected = classifier.predict_proba(inputs).numpy()
        np.testing.assert_allclose(result.probabilities, expected, atol=1e-6)
        np.testing.assert_array_equal(result.predictions, expected.argmax(axis=1))
        assert result.subset is images

    def test_metrics_agree_with_probabilities(self, images: Subset, classifier: Classifier) -> None:
        result = evaluate_split(silent_trainer(), classifier, images, batch_size=5)
        assert set(result.metrics) == {"test/loss", "test/acc", "test/f1", "test/balanced_acc"}
        accuracy = (result.predictions == images.labels).mean()
        loss = -np.log(result.probabilities[np.arange(23), images.labels]).mean()
        assert result.metrics["test/acc"] == pytest.approx(accuracy)
        assert result.metrics["test/loss"] == pytest.approx(loss, abs=1e-6)
        assert result.confusion_matrix.sum() == 23
        assert result.confusion_matrix.trace() == (result.predictions == images.labels).sum()

    def test_trainer_is_left_without_the_collecting_callback(
        self, images: Subset, classifier: Classifier
    ) -> None:
        trainer = silent_trainer()
        before = list(trainer.callbacks)  # type: ignore[attr-defined]
        evaluate_split(trainer, classifier, images, batch_size=5)
        assert trainer.callbacks == before  # type: ignore[attr-defined]


@pytest.mark.parametrize("rows", range(4, 9))
@pytest.mark.parametrize("world_size", [1, 2, 3])
def test_gathered_logits_are_in_the_order_of_the_rows(rows: int, world_size: int) -> None:
    logits = torch.arange(rows * 2.0).reshape(rows, 2)
    shards = [logits[rank::world_size] for rank in range(world_size)]

    def all_gather_object(gathered: list[Tensor], _: Tensor) -> None:
        gathered[:] = shards

    with mock.patch("torch.distributed.all_gather_object", all_gather_object):
        assert torch.equal(gather_logits(shards[0], world_size), logits)

"""The classifier: what it computes, and how it is judged, against plain torch and scikit-learn."""

from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from sklearn.metrics import accuracy_score, confusion_matrix, f1_score, recall_score
from torch import Tensor, nn

from csvision import schema
from csvision.classifier import Classifier
from csvision.data.batches import BatchLoader
from csvision.data.split import Part
from csvision.data.table import read_table
from csvision.models.mlp import MLP
from csvision.run.log import known_warnings_ignored
from csvision.run.results import Evaluation, evaluate_part
from tests.conftest import silent_trainer

ROWS = 101
BATCH_SIZE = 33
"""Leaves a last batch of 2 images, which count as much as any other."""

SGD = schema.SGD(schema.OptimizerName.sgd, lr=1.0, weight_decay=0.0, momentum=0.0, nesterov=False)
CONSTANT = schema.Scheduler(schema.SchedulerName.none)
CLASSES = [f"digit {index}" for index in range(10)]


@pytest.fixture
def part(digits_csv: Path) -> Part:
    return Part(read_table(str(digits_csv)), np.arange(ROWS))


@pytest.fixture
def classifier() -> Classifier:
    torch.manual_seed(0)
    network = MLP((1, 8, 8), classes=10, hidden=[16], dropout=0.5)
    return Classifier(network, CLASSES, SGD, CONSTANT)


@pytest.fixture
def steady_classifier() -> Classifier:
    """Without dropout, so that a loop by hand gives the same losses."""
    torch.manual_seed(0)
    return Classifier(MLP((1, 8, 8), classes=10, hidden=[16]), CLASSES, SGD, CONSTANT)


def fit(classifier: Classifier, part: Part, validation: Part | None = None) -> dict[str, float]:
    """One epoch; the metrics that Lightning then has."""
    fitting = silent_trainer(max_epochs=1, limit_val_batches=1.0 if validation else 0)
    loaders = [BatchLoader(validation, BATCH_SIZE)] if validation else []
    with known_warnings_ignored():
        fitting.fit(classifier, BatchLoader(part, BATCH_SIZE, seed=7), loaders)
    return {name: float(value) for name, value in fitting.callback_metrics.items()}


def evaluate(classifier: Classifier, part: Part) -> Evaluation:
    with known_warnings_ignored():
        return evaluate_part(silent_trainer(), classifier, part, BATCH_SIZE)


def images_of(part: Part) -> Tensor:
    return torch.from_numpy(part.table.images[part.rows])


class TestForward:
    def test_gives_the_networks_logits_on_pixels_from_0_to_1(
        self, steady_classifier: Classifier, part: Part
    ) -> None:
        images = images_of(part)
        assert images.dtype is torch.uint8
        logits = steady_classifier(images)
        assert logits.shape == (ROWS, 10)
        torch.testing.assert_close(logits, steady_classifier.network(images.float() / 255))

    def test_computes_in_the_precision_of_the_weights(
        self, steady_classifier: Classifier, part: Part
    ) -> None:
        assert steady_classifier.double()(images_of(part)).dtype is torch.float64


class TestProbabilities:
    def test_are_the_softmax_of_the_logits_in_eval_mode(
        self, classifier: Classifier, part: Part
    ) -> None:
        probabilities = classifier.probabilities(images_of(part))
        torch.testing.assert_close(probabilities.sum(dim=1), torch.ones(ROWS))
        expected = classifier.eval()(images_of(part)).softmax(dim=1)
        torch.testing.assert_close(probabilities, expected)

    @pytest.mark.parametrize("training", [True, False])
    def test_leave_the_training_flag_as_it_was(
        self, training: bool, classifier: Classifier, part: Part
    ) -> None:
        classifier.train(training)
        classifier.probabilities(images_of(part))
        assert {module.training for module in classifier.network.modules()} == {training}

    def test_carry_no_gradients(self, classifier: Classifier, part: Part) -> None:
        assert not classifier.probabilities(images_of(part)).requires_grad


class TestLoss:
    def test_of_an_epoch_is_the_mean_over_images_not_over_batches(
        self, steady_classifier: Classifier, part: Part
    ) -> None:
        by_hand = MLP((1, 8, 8), classes=10, hidden=[16])
        by_hand.load_state_dict(steady_classifier.network.state_dict())
        optimizer = torch.optim.SGD(by_hand.parameters(), lr=1.0)
        losses, sizes = [], []
        for images, labels in BatchLoader(part, BATCH_SIZE, seed=7):
            loss = F.cross_entropy(by_hand(images.float() / 255), labels)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
            sizes.append(len(labels))
        assert sizes == [33, 33, 33, 2]

        over_images = np.average(losses, weights=sizes)
        over_batches = np.mean(losses)
        assert over_images != pytest.approx(over_batches, rel=0.01)
        assert fit(steady_classifier, part)["train/loss"] == pytest.approx(over_images, rel=1e-6)

    def test_of_validation_and_test_is_the_mean_over_their_images(
        self, classifier: Classifier, part: Part
    ) -> None:
        validated = fit(classifier, part, validation=part)
        with torch.no_grad():
            logits = classifier.eval()(images_of(part))
        expected = F.cross_entropy(logits, torch.from_numpy(part.labels)).item()
        assert validated["val/loss"] == pytest.approx(expected, rel=1e-5)
        accuracy = accuracy_score(part.labels, logits.argmax(dim=1).numpy())
        assert validated["val/acc"] == pytest.approx(accuracy)
        evaluation = evaluate(classifier, part)
        assert evaluation.metrics["test/loss"] == pytest.approx(expected, rel=1e-5)


class TestScores:
    def test_agree_with_scikit_learn(self, classifier: Classifier, part: Part) -> None:
        evaluation = evaluate(classifier, part)
        labels, predictions = part.labels, evaluation.predictions
        assert 3 < len(set(predictions)) <= 10
        metrics = evaluation.metrics
        assert metrics["test/acc"] == pytest.approx(accuracy_score(labels, predictions))
        macro = f1_score(labels, predictions, average="macro", zero_division=0)
        assert metrics["test/f1"] == pytest.approx(macro)
        np.testing.assert_array_equal(
            evaluation.confusion, confusion_matrix(labels, predictions, labels=range(10))
        )
        recalls = recall_score(labels, predictions, average=None, zero_division=0)
        np.testing.assert_allclose(evaluation.class_accuracy, recalls, rtol=1e-6)

    def test_of_a_second_test_forget_the_first(self, classifier: Classifier, part: Part) -> None:
        evaluate(classifier, part)
        few = evaluate(classifier, part.first(10))
        assert few.confusion.sum() == 10
        assert few.probabilities.shape == (10, 10)
        alone = evaluate(classifier, part.first(10))
        assert few.metrics == alone.metrics


class Watching(nn.Module):
    """A network that notes in which mode it is called."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Flatten(), nn.Dropout(0.5), nn.Linear(64, 10))
        self.modes: set[tuple[bool, bool]] = set()

    def forward(self, images: Tensor) -> Tensor:
        self.modes.add((self.training, torch.is_grad_enabled()))
        logits: Tensor = self.layers(images)
        return logits


class TestEvaluation:
    def test_has_dropout_off_and_no_gradients(self, part: Part) -> None:
        network = Watching()
        classifier = Classifier(network, CLASSES, SGD, CONSTANT)
        fit(classifier, part, validation=part)
        training, evaluating = (True, True), (False, False)
        assert network.modes == {training, evaluating}
        network.modes.clear()
        evaluate(classifier.train(), part)
        assert network.modes == {evaluating}

    def test_changes_no_weight_and_gives_the_same_twice(
        self, classifier: Classifier, part: Part
    ) -> None:
        before = {name: value.clone() for name, value in classifier.state_dict().items()}
        first, second = (evaluate(classifier, part) for _ in range(2))
        np.testing.assert_array_equal(first.probabilities, second.probabilities)
        assert first.metrics == second.metrics
        torch.testing.assert_close(dict(classifier.state_dict()), before, rtol=0, atol=0)

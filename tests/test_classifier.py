"""The classifier: outputs, losses and scores, against plain torch and scikit-learn."""

from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from sklearn.metrics import accuracy_score, confusion_matrix, f1_score, recall_score
from torch import Tensor, nn

from csvision.classifier import Classifier
from csvision.config import schema
from csvision.data.loader import BatchLoader
from csvision.data.splits import Subset
from csvision.data.table import read_table
from csvision.evaluation import EvalResult, evaluate_split
from csvision.models.mlp import MLP
from csvision.run.log import ignore_known_warnings
from tests.conftest import silent_trainer

ROWS = 101
BATCH_SIZE = 33
"""The last batch has 2 images, which have the same weight as all others."""

SGD = schema.SGDConfig(
    schema.OptimizerName.sgd, lr=1.0, weight_decay=0.0, momentum=0.0, nesterov=False
)
CONSTANT = schema.SchedulerConfig(schema.SchedulerName.none)
CLASSES = [f"digit {index}" for index in range(10)]


@pytest.fixture
def subset(digits_csv: Path) -> Subset:
    return Subset(read_table(str(digits_csv)), np.arange(ROWS))


@pytest.fixture
def classifier() -> Classifier:
    torch.manual_seed(0)
    network = MLP((1, 8, 8), num_classes=10, hidden=[16], dropout=0.5)
    return Classifier(network, CLASSES, SGD, CONSTANT)


@pytest.fixture
def classifier_without_dropout() -> Classifier:
    """Return a classifier whose losses a plain training loop reproduces."""
    torch.manual_seed(0)
    return Classifier(MLP((1, 8, 8), num_classes=10, hidden=[16]), CLASSES, SGD, CONSTANT)


def fit(classifier: Classifier, subset: Subset, val: Subset | None = None) -> dict[str, float]:
    """Train for one epoch; return the metrics."""
    trainer = silent_trainer(max_epochs=1, limit_val_batches=1.0 if val else 0)
    loaders = [BatchLoader(val, BATCH_SIZE)] if val else []
    with ignore_known_warnings():
        trainer.fit(classifier, BatchLoader(subset, BATCH_SIZE, seed=7), loaders)
    return {name: float(value) for name, value in trainer.callback_metrics.items()}


def evaluate(classifier: Classifier, subset: Subset) -> EvalResult:
    with ignore_known_warnings():
        return evaluate_split(silent_trainer(), classifier, subset, BATCH_SIZE)


def subset_images(subset: Subset) -> Tensor:
    return torch.from_numpy(subset.table.images[subset.indices])


class TestForward:
    def test_returns_logits_of_pixels_scaled_to_0_1(
        self, classifier_without_dropout: Classifier, subset: Subset
    ) -> None:
        images = subset_images(subset)
        assert images.dtype is torch.uint8
        logits = classifier_without_dropout(images)
        assert logits.shape == (ROWS, 10)
        torch.testing.assert_close(logits, classifier_without_dropout.network(images.float() / 255))

    def test_uses_the_precision_of_the_weights(
        self, classifier_without_dropout: Classifier, subset: Subset
    ) -> None:
        assert classifier_without_dropout.double()(subset_images(subset)).dtype is torch.float64


class TestPredictProba:
    def test_returns_the_softmax_of_the_logits_in_eval_mode(
        self, classifier: Classifier, subset: Subset
    ) -> None:
        probabilities = classifier.predict_proba(subset_images(subset))
        torch.testing.assert_close(probabilities.sum(dim=1), torch.ones(ROWS))
        expected = classifier.eval()(subset_images(subset)).softmax(dim=1)
        torch.testing.assert_close(probabilities, expected)

    @pytest.mark.parametrize("training", [True, False])
    def test_restores_the_training_mode(
        self, training: bool, classifier: Classifier, subset: Subset
    ) -> None:
        classifier.train(training)
        classifier.predict_proba(subset_images(subset))
        assert {module.training for module in classifier.network.modules()} == {training}

    def test_computes_no_gradients(self, classifier: Classifier, subset: Subset) -> None:
        assert not classifier.predict_proba(subset_images(subset)).requires_grad


class TestLoss:
    def test_of_an_epoch_is_the_mean_over_images(
        self, classifier_without_dropout: Classifier, subset: Subset
    ) -> None:
        network = MLP((1, 8, 8), num_classes=10, hidden=[16])
        network.load_state_dict(classifier_without_dropout.network.state_dict())
        optimizer = torch.optim.SGD(network.parameters(), lr=1.0)
        losses, sizes = [], []
        for images, labels in BatchLoader(subset, BATCH_SIZE, seed=7):
            loss = F.cross_entropy(network(images.float() / 255), labels)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
            sizes.append(len(labels))
        assert sizes == [33, 33, 33, 2]

        mean_over_images = np.average(losses, weights=sizes)
        mean_over_batches = np.mean(losses)
        assert mean_over_images != pytest.approx(mean_over_batches, rel=0.01)
        assert fit(classifier_without_dropout, subset)["train/loss"] == pytest.approx(
            mean_over_images, rel=1e-6
        )

    def test_of_validation_and_test_is_the_mean_over_images(
        self, classifier: Classifier, subset: Subset
    ) -> None:
        metrics = fit(classifier, subset, val=subset)
        with torch.no_grad():
            logits = classifier.eval()(subset_images(subset))
        expected = F.cross_entropy(logits, torch.from_numpy(subset.labels)).item()
        assert metrics["val/loss"] == pytest.approx(expected, rel=1e-5)
        accuracy = accuracy_score(subset.labels, logits.argmax(dim=1).numpy())
        assert metrics["val/acc"] == pytest.approx(accuracy)
        evaluation = evaluate(classifier, subset)
        assert evaluation.metrics["test/loss"] == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("clip", [0.01, 1e6])
def test_clipped_step_is_that_of_torch(
    clip: float, classifier_without_dropout: Classifier, subset: Subset
) -> None:
    network = MLP((1, 8, 8), num_classes=10, hidden=[16])
    network.load_state_dict(classifier_without_dropout.network.state_dict())
    optimizer = torch.optim.SGD(network.parameters(), lr=1.0)
    for images, labels in BatchLoader(subset, BATCH_SIZE, seed=7):
        optimizer.zero_grad()
        F.cross_entropy(network(images.float() / 255), labels).backward()
        nn.utils.clip_grad_norm_(network.parameters(), clip)
        optimizer.step()
    classifier_without_dropout.gradient_clip = clip
    fit(classifier_without_dropout, subset)
    expected = network.state_dict()
    for name, value in classifier_without_dropout.network.state_dict().items():
        torch.testing.assert_close(value, expected[name])


class TestScores:
    def test_agree_with_scikit_learn(self, classifier: Classifier, subset: Subset) -> None:
        evaluation = evaluate(classifier, subset)
        labels, predictions = subset.labels, evaluation.predictions
        assert 3 < len(set(predictions)) <= 10
        metrics = evaluation.metrics
        assert metrics["test/acc"] == pytest.approx(accuracy_score(labels, predictions))
        macro_f1 = f1_score(labels, predictions, average="macro", zero_division=0)
        assert metrics["test/f1"] == pytest.approx(macro_f1)
        np.testing.assert_array_equal(
            evaluation.confusion_matrix, confusion_matrix(labels, predictions, labels=range(10))
        )
        recalls = recall_score(labels, predictions, average=None, zero_division=0)
        np.testing.assert_allclose(evaluation.per_class_accuracy, recalls, rtol=1e-6)

    def test_are_reset_before_each_test(self, classifier: Classifier, subset: Subset) -> None:
        evaluate(classifier, subset)
        few = evaluate(classifier, subset.head(10))
        assert few.confusion_matrix.sum() == 10
        assert few.probabilities.shape == (10, 10)
        again = evaluate(classifier, subset.head(10))
        assert few.metrics == again.metrics


class ModeRecorder(nn.Module):
    """A network that records in which mode it is called."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Flatten(), nn.Dropout(0.5), nn.Linear(64, 10))
        self.modes: set[tuple[bool, bool]] = set()

    def forward(self, images: Tensor) -> Tensor:
        self.modes.add((self.training, torch.is_grad_enabled()))
        logits: Tensor = self.layers(images)
        return logits


class TestEvaluation:
    def test_runs_in_eval_mode_without_gradients(self, subset: Subset) -> None:
        network = ModeRecorder()
        classifier = Classifier(network, CLASSES, SGD, CONSTANT)
        fit(classifier, subset, val=subset)
        training, evaluating = (True, True), (False, False)
        assert network.modes == {training, evaluating}
        network.modes.clear()
        evaluate(classifier.train(), subset)
        assert network.modes == {evaluating}

    def test_changes_no_weights_and_is_deterministic(
        self, classifier: Classifier, subset: Subset
    ) -> None:
        before = {name: value.clone() for name, value in classifier.state_dict().items()}
        first, second = (evaluate(classifier, subset) for _ in range(2))
        np.testing.assert_array_equal(first.probabilities, second.probabilities)
        assert first.metrics == second.metrics
        torch.testing.assert_close(dict(classifier.state_dict()), before, rtol=0, atol=0)

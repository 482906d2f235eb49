"""The metrics of a split: mean loss and scores, from sums that processes can share.

Shapes: B images per batch, K classes.
"""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor
from torchmetrics import MeanMetric, Metric

from csvision.config.monitor import SCORES


class BatchMean(Metric):
    """The mean loss of all images, from the mean loss of each batch.

    Batches are added one after another, so that the result does not depend on how many are added
    in one call.
    """

    mean_value: Tensor
    weight: Tensor

    def __init__(self) -> None:
        super().__init__()
        # The names that torchmetrics' MeanMetric has in checkpoints of earlier versions.
        self.add_state("mean_value", torch.tensor(0.0), dist_reduce_fx="sum")
        self.add_state("weight", torch.tensor(0.0), dist_reduce_fx="sum")

    def update(self, losses: Sequence[Tensor], counts: Sequence[int]) -> None:
        """Add batches by their mean losses and their numbers of images."""
        # A variable, because setting an attribute of a module takes as long as an addition.
        total = self.mean_value
        for loss, count in zip(losses, counts, strict=True):
            total = total + loss * count
        self.mean_value = total
        self.weight = self.weight + sum(counts)

    def compute(self) -> Tensor:
        """Return the mean loss."""
        return self.mean_value / self.weight


class ClassCounts(Metric):
    """The correct, true and predicted images of each class, (3, K)."""

    counts: Tensor

    def __init__(self, num_classes: int) -> None:
        super().__init__()
        self.num_classes = num_classes
        counts = torch.zeros(3, num_classes, dtype=torch.int64)
        self.add_state("counts", counts, dist_reduce_fx="sum")

    def update(self, logits: Tensor, labels: Tensor) -> None:
        """Add a batch: logits or probabilities (B, K), class indices (B,)."""
        self.counts = self.counts + count_classes(logits.argmax(dim=1), labels, self.num_classes)

    def compute(self) -> Tensor:
        """Return the counts (3, K)."""
        return self.counts


def count_classes(predictions: Tensor, labels: Tensor, num_classes: int) -> Tensor:
    """Return the correct, true and predicted images of each class (3, K)."""
    correct = labels[predictions == labels]
    each = (correct, labels, predictions)
    return torch.stack([torch.bincount(classes, minlength=num_classes) for classes in each])


def accuracy(correct: Tensor, true: Tensor, predicted: Tensor) -> Tensor:
    """Return the fraction of correct predictions."""
    return correct.sum() / true.sum()


def macro_f1(correct: Tensor, true: Tensor, predicted: Tensor) -> Tensor:
    """Return the mean F1 of the classes that occur or are predicted."""
    total = true + predicted
    return (2 * correct[total > 0] / total[total > 0]).mean()


def balanced_accuracy(correct: Tensor, true: Tensor, predicted: Tensor) -> Tensor:
    """Return the mean recall of the classes that occur, as scikit-learn defines it."""
    return (correct[true > 0] / true[true > 0]).mean()


FUNCTIONS: dict[str, Callable[[Tensor, Tensor, Tensor], Tensor]] = {
    "acc": accuracy,
    "f1": macro_f1,
    "balanced_acc": balanced_accuracy,
}
"""How each score follows from the correct, true and predicted images of each class (K,)."""


def class_scores(counts: Tensor) -> dict[str, Tensor]:
    """Return all scores from ClassCounts' counts (3, K)."""
    return {name: FUNCTIONS[name](*counts) for name in SCORES}


class SplitMetrics(torch.nn.Module):
    """Loss, scores and, if given, the user's own metric on all images of one split.

    `custom` has the name of the metric and the metric itself.
    """

    def __init__(
        self, split: str, num_classes: int, custom: tuple[str, Metric] | None = None
    ) -> None:
        super().__init__()
        self.split = split
        # One value per image, because torchmetrics ignores weights with nan_strategy="disable",
        # which keeps NaN in the mean.
        self.loss = MeanMetric(nan_strategy="disable")
        self.counts = ClassCounts(num_classes)
        self.custom_name = custom[0] if custom else ""
        self.custom = custom[1] if custom else None

    def update(self, losses: Tensor, logits: Tensor, labels: Tensor) -> None:
        """Add a batch: the loss of each image (B,), logits (B, K), class indices (B,)."""
        self.loss.update(losses)
        self.counts.update(logits, labels)
        if self.custom is not None:
            self.custom.update(logits, labels)

    def compute(self) -> dict[str, Tensor]:
        """Return all metrics over all processes, with names such as val/loss."""
        values = {"loss": self.loss.compute(), **class_scores(self.counts.compute())}
        if self.custom is not None:
            values[self.custom_name] = self.custom.compute()
        return {f"{self.split}/{name}": value for name, value in values.items()}

    def reset(self) -> None:
        """Forget all images."""
        self.loss.reset()
        self.counts.reset()
        if self.custom is not None:
            self.custom.reset()

"""The training loss.

Shapes: B images per batch, K classes.
"""

from collections.abc import Callable

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

Loss = Callable[[Tensor, Tensor], Tensor]
"""Maps logits (B, K) and class indices (B,) to the mean loss, a scalar."""

BALANCED = "balanced"
"""The value of `loss.class_weights` that computes the weights from the training rows."""


class WeightedCrossEntropy(nn.Module):
    """Cross-entropy with class weights (K,) and label smoothing, as torch defines them.

    The mean over a batch is divided by the sum of the weights of its images.
    """

    weight: Tensor | None

    def __init__(self, weight: Tensor | None, label_smoothing: float) -> None:
        super().__init__()
        # Not in checkpoints: configuration and training rows determine it.
        self.register_buffer("weight", weight, persistent=False)
        self.label_smoothing = label_smoothing

    def forward(self, logits: Tensor, labels: Tensor) -> Tensor:
        """Logits (B, K), class indices (B,) -> the mean loss."""
        return F.cross_entropy(
            logits, labels, weight=self.weight, label_smoothing=self.label_smoothing
        )


def build_cross_entropy(
    class_weights: list[float] | str | None,
    label_smoothing: float,
    labels: NDArray[np.int64],
    num_classes: int,
) -> Loss:
    """Return cross-entropy; `labels` (N,) are those of the training rows."""
    if class_weights is None and not label_smoothing:
        return F.cross_entropy
    weight = None
    if class_weights == BALANCED:
        weight = torch.from_numpy(balanced_weights(labels, num_classes)).float()
    elif class_weights is not None:
        weight = torch.tensor(class_weights, dtype=torch.float32)
    return WeightedCrossEntropy(weight, label_smoothing)


def balanced_weights(labels: NDArray[np.int64], num_classes: int) -> NDArray[np.float64]:
    """Return scikit-learn's `balanced` weight of each class (K,): N / (classes * its rows).

    A class without rows does not count, and has the weight 0.
    """
    counts = np.bincount(labels, minlength=num_classes)
    weights = np.zeros(num_classes)
    weights[counts > 0] = len(labels) / (np.count_nonzero(counts) * counts[counts > 0])
    return weights

"""A fitted baseline: from images as stored in the table to class indices and probabilities.

Shapes: N images, (C, H, W) an image, D values of an image, K classes.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from csvision.classifier import Classifier
from csvision.config import schema
from csvision.layer_shapes import Shape
from csvision.transforms import PadAndPermute

CHUNK_ROWS = 4096


def pixel_values(
    data: schema.DataConfig,
    image_shape: Shape,
    classes: Sequence[str],
    mean: Sequence[float],
    std: Sequence[float],
) -> Classifier:
    """Return what networks get, flattened: padded, permuted, scaled and normalized pixels."""
    transform = PadAndPermute(data, image_shape)
    return Classifier(nn.Flatten(), classes, mean=mean, std=std, transform=transform).eval()


@dataclass(frozen=True)
class FittedBaseline:
    """A fitted Pipeline of scikit-learn, with the values that it takes of an image."""

    estimator: Any
    values: Classifier = field(repr=False)

    @property
    def classes(self) -> list[str]:
        """The names of the classes."""
        return self.values.classes

    @property
    def has_probabilities(self) -> bool:
        """Whether the estimator has probabilities that belong to its predictions.

        Those of NearestCentroid scale the pixels, and its predictions do not.
        """
        name = type(self.estimator[-1]).__name__
        return name != "NearestCentroid" and hasattr(self.estimator, "predict_proba")

    @property
    def keeps_rows(self) -> bool:
        """Whether the estimator is made of its training rows."""
        return type(self.estimator[-1]).__name__ == "KNeighborsClassifier"

    def predict(self, images: NDArray[np.uint8]) -> NDArray[np.int64]:
        """Images (N, C, H, W) -> class indices (N,)."""
        predicted = [self.estimator.predict(chunk) for chunk in self.chunks(images)]
        return np.concatenate(predicted).astype(np.int64)

    def predict_proba(self, images: NDArray[np.uint8]) -> NDArray[np.float64]:
        """Images (N, C, H, W) -> probabilities (N, K); 0 for classes without training images.

        The result is NaN if the estimator has no probabilities.
        """
        result = np.zeros((len(images), len(self.classes)))
        if not self.has_probabilities:
            return np.full_like(result, np.nan)
        known = self.estimator.classes_.astype(np.int64)
        found = [self.estimator.predict_proba(chunk) for chunk in self.chunks(images)]
        result[:, known] = np.concatenate(found)
        return result

    def chunks(self, images: NDArray[np.uint8]) -> list[NDArray[np.float32]]:
        """Return the values of images, some thousand at a time."""
        starts = range(0, len(images), CHUNK_ROWS)
        return [flatten(self.values, images[start : start + CHUNK_ROWS]) for start in starts]


def flatten(values: Classifier, images: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Images (N, C, H, W) -> the values that networks get (N, D)."""
    flat: NDArray[np.float32] = values.predict_logits(torch.from_numpy(images)).numpy()
    return flat

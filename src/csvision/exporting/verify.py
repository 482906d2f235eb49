"""Compare the probabilities of an exported file with those of the run.

Shapes: N images, (C, H, W) an image, K classes.
"""

import numpy as np
import torch
from numpy.typing import NDArray

from csvision.classifier import Classifier
from csvision.data.splits import Subset
from csvision.errors import RunError
from csvision.evaluation import EVALUATION_SEED, check_finite
from csvision.exporting.onnx_file import Images, Predict
from csvision.rng import seeded_generators

BATCH_SIZES = (1, 2, 37)

MAX_DIFFERENCE = 1e-4
"""The largest difference between two probabilities of one image."""


def select_batches(subset: Subset) -> list[Images]:
    """Return consecutive images as one batch of each size; few images are repeated."""
    rows = subset.indices[np.arange(sum(BATCH_SIZES)) % len(subset)]
    parts = np.split(rows, np.cumsum(BATCH_SIZES)[:-1])
    return [subset.table.images[part] for part in parts]


def expected_probabilities(
    classifier: Classifier, batches: list[Images]
) -> list[NDArray[np.float32]]:
    """Return the probabilities (N, K) of a classifier in eval mode for each batch.

    Raises DivergedError if one is not finite.
    """
    with seeded_generators(EVALUATION_SEED), torch.no_grad():
        # Not predict_proba, which may average over changed images; the exported graph does not.
        expected = [
            classifier(torch.from_numpy(batch)).float().softmax(dim=1).numpy() for batch in batches
        ]
    for probabilities in expected:
        check_finite(probabilities)
    return expected


def largest_difference(
    where: str, predict: Predict, batches: list[Images], expected: list[NDArray[np.float32]]
) -> float:
    """Return the largest difference from the expected probabilities.

    Raises RunError, which starts with `where`, if it is too large.
    """
    largest = 0.0
    for images, probabilities in zip(batches, expected, strict=True):
        # With another seed, so that a network that draws random numbers is noticed.
        with seeded_generators(EVALUATION_SEED + 1):
            difference = float(np.abs(predict(images) - probabilities).max())
        # A comparison with NaN is false.
        if not difference <= MAX_DIFFERENCE:
            raise RunError(
                f"{where}: with {len(images)} images, probabilities differ by {difference:.3g} "
                f"from those of predict, more than {MAX_DIFFERENCE:g}; use another format, or make "
                "the network compute the same for every number of images and in every call"
            )
        largest = max(largest, difference)
    return largest

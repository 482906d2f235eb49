"""Small tests of made-up networks, without training."""

import numpy as np
from numpy.typing import NDArray

from csvision.data.splits import Subset
from csvision.data.table import ImageTable
from csvision.evaluation import EvalResult


def eval_result(
    probabilities: NDArray[np.floating] | list[list[float]],
    labels: NDArray[np.int64] | list[int],
    images: NDArray[np.uint8] | None = None,
) -> EvalResult:
    """Return the result of a test with these probabilities (N, K), of rows in reverse order."""
    scores, count = np.array(probabilities, np.float32), len(labels)
    if images is None:
        images = np.arange(count * 6, dtype=np.uint8).reshape(count, 1, 2, 3)
    indices = np.arange(count)[::-1]
    classes = [f"class {index}" for index in range(scores.shape[1])]
    table = ImageTable.from_arrays(
        images, np.array(labels)[::-1].copy(), list(range(len(classes))), classes
    )
    return EvalResult(Subset(table, indices), {}, scores, scores.argmax(axis=1))

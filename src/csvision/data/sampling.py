"""Draw rows such that all classes are equally frequent."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor


class ClassSampler:
    """Draws rows with replacement: first a class, then one of its rows, each equally probable.

    `labels` (N,) are the class indices of the rows. A class without rows is never drawn.
    """

    def __init__(self, labels: NDArray[np.int64]) -> None:
        self.rows = torch.from_numpy(np.argsort(labels, kind="stable"))
        counts = np.unique(labels, return_counts=True)[1]
        self.counts = torch.from_numpy(counts)
        self.starts = self.counts.cumsum(0) - self.counts

    def draw(self, count: int, generator: torch.Generator) -> Tensor:
        """Return the positions in `labels` of `count` rows (count,)."""
        classes = torch.randint(len(self.counts), (count,), generator=generator)
        # With float32, rows of a class with more than 2^24 could not all be drawn.
        u = torch.rand(count, generator=generator, dtype=torch.float64)
        offsets = (u * self.counts[classes]).long()
        return self.rows[self.starts[classes] + offsets]

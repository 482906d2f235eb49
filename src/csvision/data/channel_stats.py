"""Mean and standard deviation of each channel of a subset.

They are computed exactly, some thousand rows at a time, so a table may be larger than the memory.
"""

import numpy as np

from csvision.data.splits import Subset

CHUNK_ROWS = 4096


def channel_stats(subset: Subset) -> tuple[list[float], list[float]]:
    """Return mean and standard deviation of each channel, of values scaled to 0..1.

    The standard deviation of a constant channel is replaced by 1.
    """
    channels = subset.table.image_shape[0]
    counts = np.zeros((channels, 256), dtype=np.int64)
    for start in range(0, len(subset), CHUNK_ROWS):
        images = subset.table.images[subset.indices[start : start + CHUNK_ROWS]]
        for channel in range(channels):
            counts[channel] += np.bincount(images[:, channel].ravel(), minlength=256)
    values = np.arange(256) / 255
    fractions = counts / counts.sum(axis=1, keepdims=True)
    mean = fractions @ values
    std = np.sqrt((fractions * (values - mean[:, None]) ** 2).sum(axis=1))
    return mean.tolist(), np.where(std > 0, std, 1.0).tolist()

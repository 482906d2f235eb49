"""Mean and standard deviation of each channel over the rows of a part.

Counted exactly, some thousand rows at a time, so that a table need not fit into memory.
"""

import numpy as np

from csvision.data.split import Part

ROWS_AT_ONCE = 4096


def channel_statistics(part: Part) -> tuple[list[float], list[float]]:
    """Mean and standard deviation of each channel, of values from 0 to 1."""
    channels = part.table.image_shape[0]
    counts = np.zeros((channels, 256), dtype=np.int64)
    for start in range(0, len(part), ROWS_AT_ONCE):
        images = part.table.images[part.rows[start : start + ROWS_AT_ONCE]]
        for channel in range(channels):
            counts[channel] += np.bincount(images[:, channel].ravel(), minlength=256)
    values = np.arange(256) / 255
    shares = counts / counts.sum(axis=1, keepdims=True)
    means = shares @ values
    # A channel of one value has no spread to divide by.
    spreads = np.sqrt((shares * (values - means[:, None]) ** 2).sum(axis=1))
    return means.tolist(), np.where(spreads > 0, spreads, 1.0).tolist()

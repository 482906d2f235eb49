"""The number of CPU threads of a run."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

import torch

from csvision.config import schema
from csvision.config.model_schema import MLPConfig
from csvision.layer_shapes import Shape, mlp_table
from csvision.run.log import log
from csvision.run.processor_load import idle_processors

MIN_MULTIPLY_ADDS = 1_000_000
"""Below this number of multiply-adds in a batch, a second thread does not make an MLP faster.

Measured on two cores with MLPs of 0 to 256 hidden units and batches of 8 to 128 images. Two threads
pay for the smallest CNN: the same number of multiply-adds takes it much longer.
"""


@contextmanager
def limit_threads(count: int | None) -> Iterator[None]:
    """Use `count` CPU threads, or the current number if None; restore it afterwards."""
    before = torch.get_num_threads()
    torch.set_num_threads(count or before)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def choose_num_threads(config: schema.TrainConfig, image_shape: Shape, num_classes: int) -> int:
    """Return the configured number of CPU threads, or the one that is fastest.

    Without accelerator.num_threads it is 1 for a small MLP, or else the default of torch, but not
    more than there are idle processors: threads that wait for a processor make every step several
    times slower. If OMP_NUM_THREADS is set, or if there are several processes, the default is kept.
    """
    default = torch.get_num_threads()
    if config.accelerator.num_threads is not None:
        return config.accelerator.num_threads
    if "OMP_NUM_THREADS" in os.environ or config.accelerator.devices > 1 or default == 1:
        return default
    if is_small(config, image_shape, num_classes):
        return 1
    idle = idle_processors()
    if idle is None or idle >= default:
        return default
    count = max(1, idle)
    log.info(
        "accelerator.num_threads=%d instead of %d: other processes use the other processors",
        count,
        default,
    )
    return count


def is_small(config: schema.TrainConfig, image_shape: Shape, num_classes: int) -> bool:
    """Return whether a batch of an MLP has too few multiply-adds for several threads."""
    if not isinstance(config.model, MLPConfig):
        return False
    table = mlp_table(config.model, image_shape, num_classes)
    return config.batch_size * sum(row.multiply_adds for row in table) < MIN_MULTIPLY_ADDS

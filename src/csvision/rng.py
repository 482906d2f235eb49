"""Derive independent random streams from one seed; seed and restore the global generators."""

import hashlib
import random
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch


def derive_seed(seed: int, *names: str | int) -> int:
    """Return a 63-bit seed for the stream with these names.

    Each use of random numbers (initial weights, batch order, dropout) has its own stream, so that
    enabling one does not change another.
    """
    text = "/".join(map(str, (seed, *names)))
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> 1


def derive_process_seed(seed: int, name: str, rank: int) -> int:
    """Return the seed of a stream of one process of a run; that of rank 0 is `derive_seed`'s."""
    return derive_seed(seed, name, rank) if rank else derive_seed(seed, name)


def seed_global_generators(seed: int, torch_seed: int) -> None:
    """Seed the global generators of torch with `torch_seed`, those of Python and NumPy by `seed`.

    csvision itself draws from the one of torch only: initial weights and dropout have their own
    `torch_seed`. Custom networks may draw from all of them.
    """
    torch.manual_seed(torch_seed)
    random.seed(derive_seed(seed, "python"))
    np.random.seed(derive_seed(seed, "numpy") % 2**32)


@contextmanager
def isolate_rng() -> Iterator[None]:
    """Restore the states of the global generators afterwards, also after an error."""
    python, numpy = random.getstate(), np.random.get_state()
    try:
        with torch.random.fork_rng(devices=range(torch.cuda.device_count())):
            yield
    finally:
        random.setstate(python)
        np.random.set_state(numpy)


@contextmanager
def seeded_generators(seed: int) -> Iterator[None]:
    """Seed all global generators with one seed, and restore their states afterwards."""
    with isolate_rng():
        seed_global_generators(seed, torch_seed=seed)
        yield

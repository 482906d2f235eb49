"""RNGStateCallback and seed_global_generators: the global random generators."""

import io
import random

import numpy as np
import torch
from lightning import LightningModule

from csvision.callbacks.rng_state import RNGStateCallback, seed_global_generators
from tests.conftest import silent_trainer


def draw() -> tuple[float, float, float, float]:
    """Draw from the global generators of torch, Python and NumPy."""
    return (
        float(torch.rand(())),
        random.random(),
        float(np.random.rand()),
        float(np.random.normal()),
    )


def test_seed_decides_the_numbers_of_all_generators() -> None:
    seed_global_generators(3)
    first = draw()
    seed_global_generators(3)
    assert draw() == first
    seed_global_generators(4)
    assert not set(draw()) & set(first)


def test_saved_states_are_restored_once_when_training_starts() -> None:
    seed_global_generators(3)
    draw()
    checkpoint = io.BytesIO()
    torch.save(RNGStateCallback().state_dict(), checkpoint)
    expected = draw()
    seed_global_generators(5)
    callback = RNGStateCallback()
    checkpoint.seek(0)
    callback.load_state_dict(torch.load(checkpoint, weights_only=True))
    trainer = silent_trainer()
    callback.on_train_start(trainer, LightningModule())
    assert draw() == expected
    callback.on_train_start(trainer, LightningModule())
    assert draw() != expected

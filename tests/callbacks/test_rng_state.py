"""RNGStateCallback: the states of the global random generators."""

import io

import torch
from lightning import LightningModule

from csvision.callbacks.rng_state import RNGStateCallback
from csvision.rng import seed_global_generators
from tests.conftest import silent_trainer
from tests.test_rng import draw


def test_saved_states_are_restored_once_when_training_starts() -> None:
    seed_global_generators(3, torch_seed=30)
    draw()
    checkpoint = io.BytesIO()
    torch.save(RNGStateCallback().state_dict(), checkpoint)
    expected = draw()
    seed_global_generators(5, torch_seed=50)
    callback = RNGStateCallback()
    checkpoint.seek(0)
    callback.load_state_dict(torch.load(checkpoint, weights_only=True))
    trainer = silent_trainer()
    callback.on_train_start(trainer, LightningModule())
    assert draw() == expected
    callback.on_train_start(trainer, LightningModule())
    assert draw() != expected

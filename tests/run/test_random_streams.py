"""The global streams are begun by the seed, kept as plain values, and set again."""

import io
import random

import numpy as np
import torch
from lightning import LightningModule, Trainer

from csvision.run.random_streams import RandomStreams, seed_global_streams


def draws() -> tuple[float, float, float, float]:
    return (
        float(torch.rand(())),
        random.random(),
        float(np.random.rand()),
        float(np.random.normal()),
    )


def test_a_seed_begins_all_of_them() -> None:
    seed_global_streams(3)
    first = draws()
    seed_global_streams(3)
    assert draws() == first
    seed_global_streams(4)
    assert not set(draws()) & set(first)


def test_they_go_on_after_a_checkpoint() -> None:
    seed_global_streams(3)
    draws()
    checkpoint = io.BytesIO()
    torch.save(RandomStreams().state_dict(), checkpoint)
    expected = draws()
    seed_global_streams(5)
    streams = RandomStreams()
    checkpoint.seek(0)
    streams.load_state_dict(torch.load(checkpoint, weights_only=True))
    trainer = Trainer(logger=False, accelerator="cpu", enable_checkpointing=False)
    streams.on_train_start(trainer, LightningModule())
    assert draws() == expected
    streams.on_train_start(trainer, LightningModule())
    assert draws() != expected

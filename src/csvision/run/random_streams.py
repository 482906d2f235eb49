"""The global streams of random numbers, which dropout and a network of the user's own draw from.

All other chance of a run (initial weights, the order of batches, augmentation) is a function of
seed, epoch and step, and needs nothing kept.
"""

import random
from typing import Any

import numpy as np
import torch
from lightning import Callback, LightningModule, Trainer

from csvision.seeding import stream_seed


def seed_global_streams(seed: int) -> None:
    """Begin the global streams of torch, Python and numpy."""
    # Dropout cannot take a generator: the global stream is its alone.
    torch.manual_seed(stream_seed(seed, "dropout"))
    random.seed(stream_seed(seed, "python"))
    np.random.seed(stream_seed(seed, "numpy") % 2**32)


class RandomStreams(Callback):
    """Keeps the global streams in checkpoints, as plain numbers, and sets them when a fit goes
    on."""

    def __init__(self) -> None:
        self.loaded: dict[str, Any] | None = None

    def state_dict(self) -> dict[str, Any]:
        """Where the streams are."""
        _, key, position, has_gauss, gauss = np.random.get_state()
        return {
            "torch": torch.get_rng_state(),
            "cuda": torch.cuda.get_rng_state_all() if torch.cuda.is_available() else [],
            "python": random.getstate(),
            "numpy": [np.asarray(key).tolist(), int(position), int(has_gauss), float(gauss)],
        }

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take what a checkpoint says; it counts when training starts."""
        self.loaded = state_dict

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Set the streams of a fit that goes on; nothing draws from them before its next batch."""
        if self.loaded is None:
            return
        torch.set_rng_state(self.loaded["torch"].cpu())
        if self.loaded["cuda"] and torch.cuda.is_available():
            torch.cuda.set_rng_state_all([state.cpu() for state in self.loaded["cuda"]])
        random.setstate(self.loaded["python"])
        key, position, has_gauss, gauss = self.loaded["numpy"]
        np.random.set_state(("MT19937", np.array(key, np.uint32), position, has_gauss, gauss))
        self.loaded = None

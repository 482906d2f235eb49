"""Save the states of the global random generators in checkpoints.

Dropout and custom networks draw from them. All other random numbers of a run (initial weights,
batch order, augmentation) depend only on seed, epoch and step, and need no saved state.
"""

import random
from typing import Any

import numpy as np
import torch
from lightning import Callback, LightningModule, Trainer


class RNGStateCallback(Callback):
    """Saves the states of the global generators as plain numbers and restores them on resume."""

    def __init__(self) -> None:
        self.resume_state: dict[str, Any] | None = None
        self.was_restored = False

    def state_dict(self) -> dict[str, Any]:
        """Return the states of the generators."""
        _, key, position, has_gauss, gauss = np.random.get_state()
        return {
            "torch": torch.get_rng_state(),
            "cuda": torch.cuda.get_rng_state_all() if torch.cuda.is_available() else [],
            "python": random.getstate(),
            "numpy": [np.asarray(key).tolist(), int(position), int(has_gauss), float(gauss)],
        }

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Keep the states until training starts."""
        self.resume_state = state_dict

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Restore the states of a resumed run; nothing draws from them before its next batch."""
        if self.resume_state is None:
            return
        torch.set_rng_state(self.resume_state["torch"].cpu())
        # This machine may have fewer GPUs than that of the checkpoint.
        for index, state in enumerate(self.resume_state["cuda"][: torch.cuda.device_count()]):
            torch.cuda.set_rng_state(state.cpu(), index)
        random.setstate(self.resume_state["python"])
        key, position, has_gauss, gauss = self.resume_state["numpy"]
        np.random.set_state(("MT19937", np.array(key, np.uint32), position, has_gauss, gauss))
        self.resume_state = None
        self.was_restored = True

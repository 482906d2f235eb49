"""Predict with one run, or with the mean of the probabilities of several.

Shapes: N images, C channels, H height, W width, K classes.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager

import numpy as np
import torch
from lightning import Trainer
from numpy.typing import NDArray
from torch import Tensor

from csvision.config import schema
from csvision.evaluation import Floats
from csvision.run.device import torch_device
from csvision.run.ensemble import average_probabilities
from csvision.run.loaded_run import LoadedRun

Predict = Callable[[Sequence[Tensor]], tuple[Floats, NDArray[np.int64]]]
"""Batches of images (N, C, H, W) -> probabilities (N, K) and predicted class indices (N,)."""


@contextmanager
def use_predictor(runs: Sequence[LoadedRun], device: schema.AcceleratorName) -> Iterator[Predict]:
    """Yield a function that predicts on a device, with precision and threads as in training."""
    with ExitStack() as stack:
        trainers = [stack.enter_context(run.use_network(device)) for run in runs]
        for run in runs:
            run.classifier.to(torch_device(device))

        def predict(batches: Sequence[Tensor]) -> tuple[Floats, NDArray[np.int64]]:
            logits = (
                predict_logits(run, trainer, batches)
                for run, trainer in zip(runs, trainers, strict=True)
            )
            if len(runs) == 1:
                (only,) = logits
                return softmax(only), only.argmax(dim=1).numpy()
            probabilities = average_probabilities(map(softmax, logits))
            return probabilities, probabilities.argmax(axis=1)

        yield predict


def predict_logits(run: LoadedRun, trainer: Trainer, batches: Sequence[Tensor]) -> Tensor:
    """Return the logits (N, K) of batches of images."""
    with trainer.precision_plugin.forward_context():
        return torch.cat([run.classifier.predict_logits(images).cpu() for images in batches])


def softmax(logits: Tensor) -> Floats:
    """Return probabilities (N, K) of logits."""
    probabilities: Floats = logits.float().softmax(dim=1).numpy()
    return probabilities

"""Train an arm as `csvision train` does, and read from it what a claim measures."""

from collections.abc import Callable
from dataclasses import replace
from tempfile import TemporaryDirectory
from typing import Any

import csvision
from csvision import DivergedError, TrainConfig

Probe = Callable[..., dict[str, Any]]
"""Returns what a claim measures on a TrainResult, as plain values by name."""

Metrics = dict[str, Any]
"""The metrics of a run and the values of its probe."""


def train_arm(config: TrainConfig, probe: Probe | None) -> Metrics:
    """Train, test and probe; the run directory is temporary.

    A run that diverges has a validation accuracy of 0 and no other metric, so that its learning
    rate is not chosen.
    """
    with TemporaryDirectory() as directory:
        try:
            trained = csvision.train(replace(config, output_dir=directory))
        except DivergedError:
            return {"val/acc": 0.0}
        return {**trained.metrics, **(probe(trained) if probe else {})}

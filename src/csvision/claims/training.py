"""Train an arm as `python scripts/train.py` does, and read off it what a claim wants to know."""

from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from csvision import schema
from csvision.data.split import read_parts
from csvision.errors import DivergedError
from csvision.run.log import console
from csvision.run.train import train

Look = Callable[..., dict[str, Any]]
"""What a claim reads off a trained arm, as plain values under names."""

Scores = dict[str, Any]
"""The metrics of a run and what was read off it."""


def train_arm(settings: schema.Train, look: Look | None) -> Scores:
    """Train, test and look; the run's directory goes when that is done.

    A fit that diverges got nothing right on validation rows, and has no other score.
    """
    with TemporaryDirectory() as folder, console(quiet=True):
        parts = read_parts(settings.data, settings.debug.rows)
        try:
            trained = train(settings, parts, Path(folder) / "run")
        except DivergedError:
            return {"val/acc": 0.0}
        return {**trained.metrics, **(look(trained) if look else {})}

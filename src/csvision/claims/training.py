"""Arms of a claim, trained as `python scripts/train.py` trains them."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from csvision import config, schema
from csvision.claims.claim import Arm
from csvision.claims.jobs import Job
from csvision.data.split import read_parts
from csvision.run.log import console
from csvision.run.train import train

ALWAYS = ("accelerator=cpu", "accelerator.threads=1", "logger=none", "quiet=true")
"""How arms are computed; no part of what they compare."""

Look = Callable[..., dict[str, Any]]
"""What a claim reads off a trained arm, as plain values under names."""

Scores = dict[str, Any]
"""The metrics of a run and what was read off it."""


def settings_of(arm: Arm) -> schema.Train:
    """The checked configuration of an arm; raises ConfigError for one that does not fit."""
    loaded: schema.Train = config.load(config.compose("train", (*arm.overrides, *ALWAYS)))
    return loaded


def jobs_of(arm: Arm, seeds: Sequence[int], look: Look | None, **extra: Any) -> list[Job]:
    """A job for each seed; `extra` is handed on to `look`."""
    settings = settings_of(arm)
    jobs = []
    for seed in seeds:
        seeded = replace(settings, seed=seed)
        arguments = {"settings": seeded, "look": look, "extra": extra}
        identity = {"config": config.plain(seeded), "look": look, "extra": extra}
        jobs.append(Job(train_arm, arguments, identity))
    return jobs


def train_arm(settings: schema.Train, look: Look | None, extra: dict[str, Any]) -> Scores:
    """Train, test and look; the run's directory goes when that is done."""
    with TemporaryDirectory() as folder, console(quiet=True):
        parts = read_parts(settings.data, settings.debug.rows)
        trained = train(settings, parts, Path(folder) / "run")
        return {**trained.metrics, **(look(trained, **extra) if look else {})}


def rate_choices(arm: Arm, rates: Sequence[float]) -> list[Arm]:
    """The arm with each learning rate."""
    return [arm.but(f"optimizer.lr={rate:g}") for rate in rates]


def command(arm: Arm, seed: int | str) -> str:
    """The line that trains an arm under a seed."""
    words = [quoted_for_shell(word) for word in (*arm.overrides, f"seed={seed}")]
    return " ".join(["python scripts/train.py", *words])


def quoted_for_shell(word: str) -> str:
    """A word in quotes where a shell would read signs in it."""
    return f"'{word}'" if set(word) & set("[]{}*?;&|<>()$ ") else word

"""Arms as configurations, as jobs and as lines to type."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from shlex import quote

from csvision import config, schema
from csvision.claims.jobs import Job
from csvision.claims.training import Look, train_arm
from csvision.data.parsed import file_sha256
from csvision.data.source import source_path

ALWAYS = ("accelerator=cpu", "accelerator.threads=1", "logger=none", "quiet=true")
"""How arms are computed; no part of what they compare."""


@dataclass(frozen=True)
class Arm:
    """One of the things compared: a name, and what follows `python scripts/train.py`."""

    name: str
    overrides: tuple[str, ...]

    def but(self, *overrides: str) -> "Arm":
        """The arm with more overrides, each in place of one for the same key."""
        keys = set(map(key_of, overrides))
        kept = (word for word in self.overrides if key_of(word) not in keys)
        return Arm(self.name, (*kept, *overrides))


def key_of(override: str) -> str:
    """The configuration key that an override is for."""
    return override.partition("=")[0]


def settings_of(arm: Arm) -> schema.Train:
    """The checked configuration of an arm; raises ConfigError for one that does not fit."""
    loaded: schema.Train = config.load(config.compose("train", (*arm.overrides, *ALWAYS)))
    return loaded


def jobs_of(arm: Arm, seeds: Sequence[int], look: Look | None) -> list[Job]:
    """A job for each seed; a result is kept for this configuration, these data and this look."""
    settings = settings_of(arm)
    sources = filter(None, (settings.data.csv, settings.data.test_csv))
    files = [file_sha256(source_path(source)) for source in sources]
    jobs = []
    for seed in seeds:
        seeded = replace(settings, seed=seed)
        identity = {"config": config.plain(seeded), "files": files, "look": look}
        jobs.append(Job(train_arm, {"settings": seeded, "look": look}, identity))
    return jobs


def rate_choices(arm: Arm, rates: Sequence[float]) -> list[Arm]:
    """The arm with each learning rate."""
    return [arm.but(f"optimizer.lr={rate:g}") for rate in rates]


def rate_of(arm: Arm) -> float:
    """The learning rate that an arm is trained with."""
    return next(
        float(word.partition("=")[2]) for word in arm.overrides if key_of(word) == "optimizer.lr"
    )


def command(arm: Arm, seed: int) -> str:
    """The line that trains an arm under a seed."""
    words = map(quote, (*arm.overrides, f"seed={seed}"))
    return " ".join(["python scripts/train.py", *words])

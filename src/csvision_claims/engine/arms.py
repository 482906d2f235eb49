"""Arms: the configurations that a claim compares, as jobs and as commands."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from shlex import quote

from csvision import (
    TrainConfig,
    config_to_dict,
    file_sha256,
    load_config,
    resolve_path,
)
from csvision_claims.engine.jobs import Job
from csvision_claims.engine.training import Probe, train_arm

COMMON_OVERRIDES = (
    "accelerator=cpu",
    "accelerator.num_threads=1",
    "logger=none",
    "quiet=true",
)
"""How every arm is trained; these settings do not affect what is compared."""


@dataclass(frozen=True)
class Arm:
    """One of the configurations compared: a name and overrides for `csvision train`."""

    name: str
    overrides: tuple[str, ...]

    def override(self, *overrides: str) -> "Arm":
        """Return the arm with more overrides; each replaces an earlier one of the same key."""
        keys = set(map(override_key, overrides))
        kept = (override for override in self.overrides if override_key(override) not in keys)
        return Arm(self.name, (*kept, *overrides))


def override_key(override: str) -> str:
    """Return the KEY of KEY=VALUE."""
    return override.partition("=")[0]


def load_arm_config(arm: Arm) -> TrainConfig:
    """Return the validated configuration of an arm; raises ConfigError if it is invalid."""
    config: TrainConfig = load_config("train", (*arm.overrides, *COMMON_OVERRIDES))
    return config


def training_jobs(arm: Arm, seeds: Iterable[int], probe: Probe | None) -> list[Job]:
    """Return one job per seed, cached by configuration, data files and probe."""
    config = load_arm_config(arm)
    sources = filter(None, (config.data.csv, config.data.test_csv))
    files = [file_sha256(resolve_path(source)) for source in sources]
    jobs = []
    for seed in seeds:
        seeded = replace(config, seed=seed)
        depends_on = {"config": config_to_dict(seeded), "files": files, "probe": probe}
        jobs.append(Job(train_arm, {"config": seeded, "probe": probe}, depends_on))
    return jobs


def expand_lr_grid(arm: Arm, lr_grid: Sequence[float]) -> list[Arm]:
    """Return the arm with each learning rate."""
    return [arm.override(f"optimizer.lr={lr:g}") for lr in lr_grid]


def get_lr(arm: Arm) -> float:
    """Return the learning rate that an arm is trained with."""
    return next(
        float(override.partition("=")[2])
        for override in arm.overrides
        if override_key(override) == "optimizer.lr"
    )


def train_command(arm: Arm, seed: int) -> str:
    """Return the command line that trains an arm with a seed."""
    arguments = map(quote, (*arm.overrides, f"seed={seed}"))
    return " ".join(["csvision train", *arguments])

"""The jobs of a sweep, expanded and composed from its command line as Hydra does it."""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import Any

from hydra.core.config_loader import ConfigLoader
from hydra.core.global_hydra import GlobalHydra
from hydra.core.hydra_config import HydraConfig
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override
from hydra.errors import HydraException
from omegaconf import DictConfig, open_dict
from omegaconf.errors import OmegaConfBaseException

from csvision.config.compose import drop_hydra_node
from csvision.config.hydra_errors import format_hydra_error
from csvision.config.hydra_private import split_sweep
from csvision.config.limits import MAX_JOBS
from csvision.config.resolvers import remember_swept_keys
from csvision.errors import ConfigError, first_line


@dataclass(frozen=True)
class ComposedJob:
    """A job of a sweep: its overrides, its directory inside the sweep, and its configuration."""

    overrides: list[str]
    directory: str
    config: DictConfig


def expand_sweep(
    overrides: Sequence[str],
    params: Mapping[str, Any] | None = None,
    config_loader: ConfigLoader | None = None,
) -> list[list[str]]:
    """Return the overrides of each job; `params` are the values of hydra.sweeper.params.

    `config_loader` finds the choices for glob(...). Raises ConfigError for values that Hydra's
    default sweeper cannot sweep, and Hydra's OverrideParseException for an argument that is not
    KEY=VALUE.
    """
    arguments = [f"{key}={value}" for key, value in (params or {}).items()]
    parser = OverridesParser.create(config_loader)
    parsed = parser.parse_overrides([*arguments, *overrides])
    check_swept_values(parsed)
    return [list(job) for job in split_sweep(parsed)]


def check_swept_values(overrides: Sequence[Override]) -> None:
    """Raise ConfigError for intervals, and if there are no jobs or more than MAX_JOBS."""
    # Of several values for one key, the last one counts.
    last = {override.get_key_element(): override for override in overrides}
    swept = [override for override in last.values() if override.is_sweep_override()]
    if errors := [interval_error(each) for each in swept if not each.is_discrete_sweep()]:
        raise ConfigError(errors)
    counts = [count_values(override) for override in swept]
    if empty := [each for each, count in zip(swept, counts, strict=True) if not count]:
        raise ConfigError(
            f"{override.input_line}: no such value or choice exists, so the sweep has no jobs"
            for override in empty
        )
    if math.prod(counts) > MAX_JOBS:
        names = ", ".join(str(override.input_line) for override in swept)
        raise ConfigError(f"{names}: over {MAX_JOBS} jobs; sweep over fewer values")


def count_values(override: Override) -> int:
    """Return the number of values of a swept key, at most MAX_JOBS + 1.

    Raises ConfigError if there is no such range.
    """
    try:
        return sum(1 for _ in islice(override.sweep_iterator(), MAX_JOBS + 1))
    except (ValueError, HydraException) as error:
        raise ConfigError(f"{override.input_line}: {first_line(error)}") from error


def interval_error(override: Override) -> str:
    """Say that a sweep takes no interval, and that a search does."""
    return (
        f"{override.input_line}: a sweep takes no interval; write choice(...) or range(...), or "
        "let a search choose the values: search=optuna"
    )


def compose_jobs(config: DictConfig) -> list[Callable[[], ComposedJob]]:
    """Return one function for each job of a sweep that Hydra is about to start, which composes it.

    Raises ConfigError for values that cannot be swept, and each function for a job that cannot be
    composed.
    """
    remember_swept_keys(config)
    loader = GlobalHydra.instance().config_loader()
    # The time in the name of the folder is that of this first use; the jobs copy it.
    folder = str(config.hydra.sweep.dir)
    jobs = expand_sweep(config.hydra.overrides.task, config.hydra.sweeper.params, loader)
    return [
        partial(compose_job, loader, config, folder, number, overrides)
        for number, overrides in enumerate(jobs)
    ]


def compose_job(
    loader: ConfigLoader, sweep: DictConfig, folder: str, number: int, overrides: list[str]
) -> ComposedJob:
    """Return a job, composed as Hydra's launchers do: same search path, config name and overrides.

    Raises ConfigError if the job cannot be composed or would leave the folder of the sweep.
    """
    try:
        composed = loader.load_sweep_config(sweep, overrides)
        with open_dict(composed):
            composed.hydra.job.id = composed.hydra.job.num = number
        with current_hydra_config(composed):
            other, directory = str(composed.hydra.sweep.dir), str(composed.hydra.sweep.subdir)
    # Hydra raises ValueError and TypeError for GROUP=null and for a stage that does not exist.
    except (HydraException, OmegaConfBaseException, ValueError, TypeError) as error:
        raise ConfigError(format_hydra_error(error)) from error
    if other != folder:
        raise ConfigError(
            f"hydra.sweep.dir={other} of job {number} is not {folder}, that of the sweep; do not "
            "sweep over output_dir"
        )
    return ComposedJob(overrides, directory, drop_hydra_node(composed))


@contextmanager
def current_hydra_config(config: DictConfig) -> Iterator[None]:
    """Let the resolver ${hydra:...} read a configuration, as while the job runs."""
    current = HydraConfig.instance()
    before = current.cfg
    current.set_config(config)
    try:
        yield
    finally:
        current.cfg = before

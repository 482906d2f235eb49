"""The names of the folders of a sweep's jobs, as conf/train.yaml computes them.

A job knows only its own overrides. Which keys are swept is kept in OmegaConf's cache of the
sweep's configuration, which Hydra copies to the configuration of each job, as for `${now:}`.
"""

from collections.abc import Sequence
from typing import Any

from hydra.core.override_parser.overrides_parser import OverridesParser
from omegaconf import DictConfig, OmegaConf

from csvision.config.labels import folder_name, parse_override

SWEPT_KEYS = "csvision.swept_keys"

JOB_NAME = "csvision.job_name"


def register_resolvers() -> None:
    """Register `${csvision.swept_keys:}` and `${csvision.job_name:NUMBER,OVERRIDES,KEYS}`."""
    OmegaConf.register_new_resolver(SWEPT_KEYS, no_swept_keys, use_cache=True, replace=True)
    OmegaConf.register_new_resolver(JOB_NAME, job_name, replace=True)


def no_swept_keys() -> list[str]:
    """Return what a configuration has that is not a job of a sweep."""
    return []


def job_name(number: int, overrides: Sequence[str], swept: Sequence[str]) -> str:
    """Return the name of the folder of a job: its number, and the swept keys with its values."""
    values = dict(map(parse_override, overrides))
    return folder_name(number, {key: values[key] for key in swept if key in values})


def remember_swept_keys(sweep: DictConfig) -> None:
    """Keep the swept keys of a sweep in its configuration, for the names of its jobs."""
    params: Any = sweep.hydra.sweeper.get("params") or {}
    arguments = [f"{key}={value}" for key, value in params.items()]
    keys = swept_keys([*arguments, *sweep.hydra.overrides.task])
    OmegaConf.get_cache(sweep)[SWEPT_KEYS][()] = keys


def swept_keys(overrides: Sequence[str]) -> list[str]:
    """Return the keys with several values, in their order; of two values, the last one counts."""
    parsed = OverridesParser.create().parse_overrides(list(overrides))
    last = {override.get_key_element(): override for override in parsed}
    keys = [parse_override(name)[0] for name, each in last.items() if each.is_sweep_override()]
    return list(dict.fromkeys(keys))

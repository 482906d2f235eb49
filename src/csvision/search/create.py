"""Create a search: validate its space, then write its folder."""

import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override
from hydra.errors import HydraException
from omegaconf import DictConfig, OmegaConf
from optuna.distributions import FloatDistribution

from csvision.command_hints import resume_command
from csvision.config import schema
from csvision.config.compose import compose_config
from csvision.config.hydra_errors import format_hydra_error
from csvision.config.monitor import monitor_mode
from csvision.config.quoting import MULTIRUN, quote_paths
from csvision.config.search_schema import OptunaConfig
from csvision.config.validate import find_errors
from csvision.errors import ConfigError, RunError, UserError
from csvision.run.code_paths import paths_of
from csvision.run.prepare import PreparedRun
from csvision.run.recorded_code import recorded_code
from csvision.run.sweep_folder import is_sweep
from csvision.search.definition import Direction, SearchDefinition, UserPaths, write_definition
from csvision.search.prepared_trials import PreparedTrials
from csvision.search.space import Space, parse_space, probe_points, split_overrides


def define_search(
    settings: OptunaConfig,
    overrides: Sequence[Override],
    config_name: str = "train",
    config_dirs: Sequence[str] = (),
) -> tuple[SearchDefinition, UserPaths]:
    """Return the definition of a search, every listed value and both ends of intervals validated.

    Raises UserError with all errors.
    """
    fixed, swept = split_overrides(overrides)
    # The name of the search is that of its settings, which trials do not have.
    kept = [str(each.input_line) for each in fixed if not is_search_key(each)]
    cwd = str(Path.cwd())
    space = parse_space(swept)
    # Monitor, direction and number of epochs are those of the trials.
    definition = SearchDefinition(
        settings, space, kept, "", "minimize", 1, cwd, config_name, tuple(config_dirs)
    )
    configs = list(validate_probes(definition))
    if settings.n_jobs > 1 and configs[0].accelerator.num_threads is None:
        kept.append("accelerator.num_threads=1")
    first, max_epochs = configs[0], max(config.epochs for config in configs)
    monitor, direction = common_monitor(configs)
    definition = replace(
        definition, overrides=kept, monitor=monitor, direction=direction, max_epochs=max_epochs
    )
    return definition, UserPaths(paths_of(first), first.data.cache)


def parse_words(words: Sequence[str]) -> tuple[OptunaConfig, list[Override], str]:
    """Return settings, parsed overrides and output_dir of a search that was started from Python.

    Raises ConfigError for a word that is not KEY=VALUE, and for invalid settings.
    """
    quoted = quote_paths([MULTIRUN[0], *words])[1:]
    try:
        parsed = OverridesParser.create().parse_overrides(quoted)
    except HydraException as error:
        raise ConfigError(format_hydra_error(error)) from error
    fixed, _ = split_overrides(parsed)
    composed = compose_config("train", ["search=optuna", *(str(e.input_line) for e in fixed)])
    return read_settings(composed), parsed, str(composed.output_dir)


def read_settings(composed: DictConfig) -> OptunaConfig:
    """Return the settings of a search; raises ConfigError for values out of range."""
    settings: Any = OmegaConf.to_object(composed.search)
    if errors := [f"search.{error}" for error in find_errors(settings)]:
        raise ConfigError(errors)
    return cast(OptunaConfig, settings)


def is_search_key(override: Override) -> bool:
    """Return whether an override chooses or configures the search."""
    return str(override.key_or_group).split(".")[0] == "search"


def validate_probes(definition: SearchDefinition) -> Iterator[schema.TrainConfig]:
    """Yield the configuration of each probe point, after all have been prepared as trials.

    Raises ConfigError with the errors of all points, each once.
    """
    prepared = PreparedTrials()
    errors: dict[str, None] = {}
    configs = []
    for point in probe_points(definition.space):
        words = [f"{key}={value}" for key, value in point.items()]
        try:
            config = definition.compose([*definition.overrides, *words])
            check_trial(prepared.prepare(config))
            configs.append(config)
        except UserError as error:
            errors |= dict.fromkeys(
                add_integer_hint(each, definition.space) for each in error.messages
            )
    if errors:
        raise ConfigError(errors)
    yield from configs


def common_monitor(configs: Sequence[schema.TrainConfig]) -> tuple[str, Direction]:
    """Return `monitor` of all trials and its direction; raises ConfigError if trials differ."""
    found = dict.fromkeys((config.monitor, monitor_mode(config)) for config in configs)
    if len(found) > 1:
        listed = ", ".join(f"{name} ({mode})" for name, mode in found)
        raise ConfigError(
            f"monitor: {listed} decide in different trials, whose values cannot be compared; write "
            f"monitor={configs[0].monitor}"
        )
    ((monitor, mode),) = found
    return monitor, "maximize" if mode == "max" else "minimize"


def add_integer_hint(message: str, space: Space) -> str:
    """Add to the message about a number that must be an integer how to write an interval."""
    match = re.match(r"(\S+)=(\S+) must be an integer", message)
    if match is None or not isinstance(space.get(match[1]), FloatDistribution):
        return message
    return f"{message}; write {match[1]}=int(interval(low, high))"


def check_trial(prepared: PreparedRun) -> None:
    """Raise ConfigError without validation rows, or for several devices."""
    devices = prepared.config.accelerator.devices
    if devices > 1:
        raise ConfigError(
            f"accelerator.devices={devices}: each trial of a search uses one device; write "
            "accelerator.devices=1"
        )
    if not len(prepared.splits.val):
        raise ConfigError(
            f"data.val_size={prepared.config.data.val_size}: there are no validation rows, which "
            "alone choose the best trial of a search; write data.val_size=0.1"
        )


def create_search(folder: Path, definition: SearchDefinition) -> None:
    """Write the folder of a new search; raises RunError if it has a sweep or cannot be written."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if is_sweep(folder):
            raise RunError(
                f"hydra.sweep.dir={folder} already contains a sweep; choose another folder, or "
                f"resume it: {resume_command(folder, recorded_code(folder).words())}"
            )
        write_definition(folder, definition)
    except OSError as error:
        # Nothing is removed from a folder that has other files.
        with suppress(OSError):
            folder.rmdir()
        raise RunError(
            f"{folder} cannot be written: {error.strerror}; choose another output_dir"
        ) from error
